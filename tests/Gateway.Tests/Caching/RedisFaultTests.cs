using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Gateway.Caching;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Gateway.Tests.Caching;

/// <summary>Whatever the client of Redis throws ends at the connection, and what is said of it helps.</summary>
public sealed class RedisFaultTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    public static TheoryData<string> ExceptionTypes => [.. Throwables().Select(type => type.AssemblyQualifiedName!)];

    [Theory]
    [MemberData(nameof(ExceptionTypes))]
    public async Task Every_exception_of_the_client_and_the_runtime_is_a_Redis_that_cannot_be_had(string type)
    {
        RedisFixture.SkipWithoutRedis();
        var log = new LogRecorder<RedisConnection>();
        var time = new TestClock();
        using var connection = await ConnectAsync(time, log);
        foreach (var isLate in new[] { false, true })
        {
            var exception = (Exception)RuntimeHelpers.GetUninitializedObject(Type.GetType(type)!);

            var (done, value) = await connection.TryAsync<string>("TEST", default, async _ =>
            {
                if (isLate)
                {
                    await Task.Yield();
                }

                throw exception;
            });

            Assert.Equal((false, null), (done, value));
            time.Advance(RedisConnection.CoolOff);
        }

        // A connection that is gone is said by who knows it. Twice: where the one for messages was made in between.
        var said = log.Lines.Where(line => line.Level > LogLevel.Information).ToList();
        Assert.InRange(said.Count, typeof(RedisConnectionException).AssemblyQualifiedName == type ? 0 : 1, 2);
        Assert.All(said, line => Assert.Matches(@"\)[:,] .+\. [A-Z].{20,}", line.Text));
        Assert.True((await connection.TryAsync("PING", default, database => database.PingAsync())).Done);
    }

    [Fact]
    public void The_exceptions_of_the_client_are_found()
    {
        var types = Throwables().ToList();

        Assert.Superset(
            new HashSet<Type>
            {
                typeof(RedisException), typeof(RedisCommandException), typeof(RedisConnectionException), typeof(RedisServerException), typeof(RedisTimeoutException),
                typeof(ObjectDisposedException), typeof(NotImplementedException), typeof(InvalidCastException), typeof(TaskCanceledException), typeof(NullReferenceException),
            },
            types.ToHashSet());
    }

    [Fact]
    public async Task A_caller_that_leaves_is_no_fault_of_Redis()
    {
        RedisFixture.SkipWithoutRedis();
        var log = new LogRecorder<RedisConnection>();
        using var connection = await ConnectAsync(new TestClock(), log);
        using var leaving = new CancellationTokenSource();
        var never = new TaskCompletionSource<string>();

        var call = connection.TryAsync("TEST", default, _ => never.Task).AsTask().WaitAsync(leaving.Token);
        await leaving.CancelAsync();

        var left = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(leaving.Token, left.CancellationToken);
        Assert.Equal(RedisState.Up, connection.State);
        Assert.True((await connection.TryAsync("PING", default, database => database.PingAsync())).Done);
        Assert.DoesNotContain(2003, log.Ids);
    }

    [Theory]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", "Refused", "OOM")]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'. script: db8d, on @user_script:1.", "Refused", "OOM")]
    [InlineData("ERR Error running script (call to f_e0): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.", "Refused", "OOM")]
    [InlineData("READONLY You can't write against a read only replica.", "Refused", "READONLY")]
    [InlineData("MISCONF Redis is configured to save RDB snapshots", "Refused", "MISCONF")]
    [InlineData("NOREPLICAS Not enough good replicas to write.", "Refused", "NOREPLICAS")]
    [InlineData("NOPERM this user has no permissions to run the 'set' command", "Refused", "NOPERM")]
    [InlineData("ERR The user executing the script can't run this command or subcommand script: db, on @user_script:1.", "Refused", "NOPERM")]
    [InlineData("ERR ACL failure in script: User default has no permissions to run the 'set' command", "Refused", "NOPERM")]
    [InlineData("LOADING Redis is loading the dataset in memory", "Broken", "LOADING")]
    [InlineData("BUSY Redis is busy running a script.", "Broken", "BUSY")]
    [InlineData("CLUSTERDOWN The cluster is down", "Broken", "CLUSTERDOWN")]
    [InlineData("NOAUTH Authentication required.", "Broken", "NOAUTH")]
    [InlineData("ERR unknown command 'secret', with args beginning with: 'secret'", "Broken", "error reply")]
    [InlineData("", "Broken", "error reply")]
    public void An_error_reply_is_known_by_its_code_and_not_repeated(string reply, string kind, string code)
    {
        var fault = RedisFault.Of(new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, reply));

        Assert.Equal((kind, code), (fault.Kind.ToString(), fault.Reason));
        Assert.DoesNotContain("secret", fault.Advice, StringComparison.Ordinal);
    }

    /// <summary>All of the client's assembly, and the runtime's base ones.</summary>
    private static IEnumerable<Type> Throwables() => typeof(RedisException).Assembly.GetTypes()
        .Concat(typeof(Exception).Assembly.GetExportedTypes())
        .Concat([typeof(System.Net.Sockets.SocketException), typeof(AuthenticationException), typeof(System.Text.Json.JsonException), typeof(System.Threading.Channels.ChannelClosedException)])
        .Where(type => type.IsAssignableTo(typeof(Exception)) && !type.IsAbstract && !type.ContainsGenericParameters);

    private async Task<RedisConnection> ConnectAsync(TimeProvider time, LogRecorder<RedisConnection> log)
    {
        var connection = new RedisConnection(redis.Options("test"), time, log);
        connection.Start();
        await Quiet.UntilAsync(() => connection.State == RedisState.Up);

        // What it asks when it is connected has been answered: the clock is about to be put forward.
        Assert.True((await connection.TryAsync("PING", default, database => database.PingAsync())).Done);
        return connection;
    }
}
