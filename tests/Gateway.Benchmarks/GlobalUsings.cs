global using static System.FormattableString;

// It reads /proc and starts Debian's tools.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
