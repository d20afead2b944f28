using Gateway.Benchmarks.Comparison;
using Gateway.Benchmarks.Micro;
using Gateway.Benchmarks.Subjects;

// One program for the comparison and for all that it needs beside the gateway; `./dev bench` runs it.
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
    case "compare":
        return await CompareCommand.RunAsync(args);
    case "micro":
        return MicroCommand.Run(args[1..]);
    default:
        await Console.Error.WriteLineAsync("Usage: Gateway.Benchmarks upstream|floor|yarp|compare|micro …; see ./dev bench");
        return 1;
}
