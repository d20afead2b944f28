using Gateway.Benchmarks.Subjects;

// One program for all that a comparison needs beside the gateway; `./dev bench` starts it.
var arguments = new Arguments(args);
switch (args.FirstOrDefault())
{
    case "upstream":
        await UpstreamSubject.RunAsync(arguments);
        return 0;
    case "floor":
        await FloorSubject.RunAsync(arguments);
        return 0;
    case "yarp":
        await YarpSubject.RunAsync(arguments);
        return 0;
    default:
        await Console.Error.WriteLineAsync("Usage: Gateway.Benchmarks upstream|floor|yarp …; see ./dev bench");
        return 1;
}
