using Gateway.Configuration;
using Gateway.Security;
using Gateway.Tests.Configuration;

namespace Gateway.Tests.Security;

public sealed class UpstreamBulkheadTests
{
    private const string Billing = "billing";
    private const string Paymentwall = "paymentwall";

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private readonly TestClock _time = new();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(4, 3)]
    [InlineData(100, 75)]
    [InlineData(2_000, 1_500)]
    public void Forwarded_calls_get_three_quarters_of_the_slots_and_no_more(int slots, int share)
    {
        using var door = Door(slots);

        Assert.Equal(share, TakeForwarded(door, slots + 1).Count);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(4, 2)]
    [InlineData(2_000, 1_000)]
    public void Calls_to_one_upstream_get_half_of_the_slots_and_no_more(int slots, int share)
    {
        using var door = Door(slots);

        Assert.Equal(share, Enumerable.Range(0, slots + 1).Count(_ => door.TryEnterForwarded(Paymentwall, Anybody) is not null));
    }

    [Fact]
    public void An_upstream_that_hangs_leaves_room_for_calls_to_another()
    {
        using var door = Door(8);
        var hanging = Enumerable.Range(0, 8).Select(_ => door.TryEnterForwarded(Paymentwall, Anybody)).OfType<IDisposable>().ToList();

        Assert.NotNull(door.TryEnterForwarded(Billing, Anybody));
        Assert.NotNull(door.TryEnterForwarded(Billing, Anybody));
        Assert.Null(door.TryEnterForwarded(Paymentwall, Anybody));
        hanging[0].Dispose();
        hanging[0].Dispose();
        Assert.NotNull(door.TryEnterForwarded(Paymentwall, Anybody));
        Assert.Null(door.TryEnterForwarded(Paymentwall, Anybody));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public async Task Catalog_answers_get_all_of_them(int slots)
    {
        using var door = Door(slots);

        for (var n = 0; n < slots; n++)
        {
            var entering = door.EnterAsync(Anybody, CancellationToken.None).AsTask();
            Assert.True(entering.IsCompleted, $"Slot {n + 1} of {slots} was waited for.");
            Assert.NotNull(await entering);
        }

        Assert.Null(door.TryEnterForwarded(Billing, Anybody));
        Assert.False(door.EnterAsync(Anybody, CancellationToken.None).AsTask().IsCompleted);
    }

    [Fact]
    public async Task What_forwarded_calls_may_not_have_is_left_to_the_catalog()
    {
        using var door = Door(8);
        Assert.Equal(6, TakeForwarded(door, 8).Count);

        Assert.NotNull(await door.EnterAsync(Anybody, CancellationToken.None));
        Assert.NotNull(await door.EnterAsync(Anybody, CancellationToken.None));
    }

    [Fact]
    public async Task One_that_waits_gets_the_next_free_slot_also_a_forwarded_calls()
    {
        using var door = Door(2);
        var forwarded = door.TryEnterForwarded(Billing, Anybody)!;
        var first = await door.EnterAsync(Anybody, CancellationToken.None);
        var waiting = door.EnterAsync(Anybody, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);

        forwarded.Dispose();

        Assert.NotNull(await waiting);
        Assert.Null(door.TryEnterForwarded(Billing, Anybody));
        first!.Dispose();
    }

    [Fact]
    public async Task Waiting_ends_after_a_second_with_nothing()
    {
        using var door = Door(1);
        using var slot = await door.EnterAsync(Anybody, CancellationToken.None);
        var waiting = door.EnterAsync(Anybody, CancellationToken.None).AsTask();

        _time.Advance(UpstreamBulkhead.LongestWait - Moment);
        await Quiet.SettleAsync(waiting);
        Assert.False(waiting.IsCompleted);
        _time.Advance(Moment);

        Assert.Null(await waiting);
        Assert.Equal(0, _time.PendingTimers);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(10, 1)]
    [InlineData(100, 10)]
    [InlineData(4_000, 200)]
    public async Task The_queue_holds_a_tenth_of_the_slots_and_beyond_it_is_refused_at_once(int slots, int queue)
    {
        using var door = Door(slots);
        for (var n = 0; n < slots; n++)
        {
            Assert.NotNull(await door.EnterAsync(Anybody, CancellationToken.None));
        }

        var waiting = Enumerable.Range(0, queue).Select(_ => door.EnterAsync(Anybody, CancellationToken.None).AsTask()).ToList();
        var refused = door.EnterAsync(Anybody, CancellationToken.None).AsTask();

        Assert.True(refused.IsCompleted);
        Assert.Null(await refused);
        Assert.All(waiting, entering => Assert.False(entering.IsCompleted));
    }

    [Fact]
    public async Task A_caller_that_left_stops_waiting_as_cancelled_and_not_as_refused()
    {
        using var door = Door(1);
        using var slot = await door.EnterAsync(Anybody, CancellationToken.None);
        using var left = new CancellationTokenSource();
        var waiting = door.EnterAsync(Anybody, left.Token).AsTask();

        await left.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(0, _time.PendingTimers);
    }

    [Fact]
    public async Task Those_who_waited_in_vain_or_left_take_nothing_with_them()
    {
        using var door = Door(4);
        for (var round = 0; round < 50; round++)
        {
            var slots = new List<IDisposable>();
            for (var n = 0; n < 4; n++)
            {
                slots.Add(Assert.IsAssignableFrom<IDisposable>(await door.EnterAsync(Anybody, CancellationToken.None)));
            }

            using var left = new CancellationTokenSource();
            var leaving = door.EnterAsync(Anybody, left.Token).AsTask();
            var refused = door.EnterAsync(Anybody, CancellationToken.None).AsTask();
            await left.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
            Assert.Null(await refused);
            var waiting = door.EnterAsync(Anybody, CancellationToken.None).AsTask();
            _time.Advance(UpstreamBulkhead.LongestWait);
            Assert.Null(await waiting);
            slots.ForEach(slot => slot.Dispose());
        }

        Assert.Equal(3, TakeForwarded(door, 4).Count);
    }

    [Fact]
    public async Task A_forwarded_call_that_is_refused_for_want_of_a_slot_gives_its_share_back()
    {
        using var door = Door(4);
        for (var round = 0; round < 10; round++)
        {
            var slots = Enumerable.Range(0, 4).Select(_ => door.EnterAsync(Anybody, CancellationToken.None).AsTask()).ToList();
            Assert.All(slots, slot => Assert.True(slot.IsCompletedSuccessfully));
            Assert.Empty(TakeForwarded(door, 5));
            foreach (var slot in await Task.WhenAll(slots))
            {
                slot!.Dispose();
            }
        }

        Assert.Equal(3, TakeForwarded(door, 4).Count);
    }

    [Fact]
    public async Task Under_any_mixture_of_callers_slots_are_neither_lost_nor_multiplied()
    {
        using var door = new UpstreamBulkhead(Options(10), TimeProvider.System);
        var inside = 0;
        var most = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var n = 0; n < 500; n++)
            {
                using var left = new CancellationTokenSource();
                if (n % 5 == 0)
                {
                    _ = left.CancelAsync();
                }

                try
                {
                    using var slot = worker % 2 == 0 ? door.TryEnterForwarded(Billing, Anybody) : await door.EnterAsync(Anybody, left.Token);
                    if (slot is not null)
                    {
                        var now = Interlocked.Increment(ref inside);
                        InterlockedMax(ref most, now);
                        await Task.Yield();
                        Interlocked.Decrement(ref inside);
                    }
                }
                catch (OperationCanceledException)
                {
                    // Left while waiting.
                }
            }
        })));

        Assert.InRange(most, 1, 10);
        Assert.Equal(7, TakeForwarded(door, 10).Count);
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    [Fact]
    public async Task One_client_cannot_take_every_slot_and_others_find_room()
    {
        using var door = Door(100);
        var one = Enumerable.Range(0, 200).Select(_ => door.TryEnter("one")).OfType<IDisposable>().ToList();
        Assert.Equal(90, one.Count);

        // Not even in the queue, and not as a forwarded call.
        Assert.Null(await door.EnterAsync("one", CancellationToken.None));
        Assert.Null(door.TryEnterForwarded(Billing, "one"));

        var other = Enumerable.Range(0, 200).Select(_ => door.TryEnter("other")).OfType<IDisposable>().ToList();
        Assert.Equal(10, other.Count);
        Assert.Null(door.TryEnter("third"));
        var third = door.EnterAsync("third", CancellationToken.None).AsTask();
        Assert.False(third.IsCompleted);

        one.ForEach(slot => slot.Dispose());
        one.ForEach(slot => slot.Dispose());
        Assert.NotNull(await third);
        Assert.Equal(79, Enumerable.Range(0, 200).Count(_ => door.TryEnter("one") is not null));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    public void Where_there_are_few_slots_there_are_no_shares(int slots)
    {
        using var door = Door(slots);

        Assert.Equal(slots, Enumerable.Range(0, 20).Count(_ => door.TryEnter("one") is not null));
    }

    private static List<IDisposable> TakeForwarded(UpstreamBulkhead door, int tries) =>
        [.. Enumerable.Range(0, tries).Select(n => door.TryEnterForwarded(n % 2 == 0 ? Billing : Paymentwall, Anybody)).OfType<IDisposable>()];

    /// <summary>Another one each time.</summary>
    private static string Anybody => Guid.NewGuid().ToString();

    private UpstreamBulkhead Door(int slots) => new(Options(slots), _time);

    private static FixedOptions<SecurityOptions> Options(int slots) =>
        Fixed.Options(new SecurityOptions { MaxConcurrentRequests = slots });
}
