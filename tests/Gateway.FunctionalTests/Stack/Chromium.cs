using System.Reflection;
using Microsoft.Playwright;

namespace Gateway.FunctionalTests.Stack;

/// <summary>The system's Chromium without a window. Each page has a profile, and so an HTTP cache, of its own.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private static readonly string Screenshots = Path.Combine(Programs.Root, "artifacts", "screenshots");

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Chromium(IPlaywright playwright, IBrowser browser)
    {
        _playwright = playwright;
        _browser = browser;
    }

    public static bool IsInstalled { get; } = File.Exists(Program);

    public static async Task<Chromium> StartAsync()
    {
        // The driver lies in the package's folder; nothing is installed and no browser is downloaded.
        var driver = typeof(Chromium).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "PlaywrightDriver");
        System.Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH", driver.Value);
        Assertions.SetDefaultExpectTimeout(15_000);
        var playwright = await Playwright.CreateAsync();
        string[] quiet =
        [
            "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync",
        ];
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Program,
            Headless = true,

            // Chromium refuses to run its sandbox as root.
            Args = System.Environment.IsPrivilegedProcess ? [.. quiet, "--no-sandbox"] : quiet,
        });
        return new Chromium(playwright, browser);
    }

    /// <summary>An empty page in a new profile, of somebody who gives <paramref name="password"/> where the browser asks for one.</summary>
    public async Task<IPage> NewPageAsync(int width = 1280, int height = 900, ColorScheme colors = ColorScheme.Light, string? password = null)
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = colors,
            Locale = "en-US",
            ReducedMotion = ReducedMotion.Reduce,
            HttpCredentials = password is null ? null : new HttpCredentials { Username = "operator", Password = password },
        });
        return await context.NewPageAsync();
    }

    /// <summary>For people to look at: <c>artifacts/screenshots/NAME.png</c>.</summary>
    public static Task ScreenshotAsync(IPage page, string name, bool wholePage = true) => page.ScreenshotAsync(
        new PageScreenshotOptions { Path = Path.Combine(Screenshots, name + ".png"), FullPage = wholePage });

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
