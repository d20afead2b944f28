// Each class starts several processes: two at once on two cores, and time-outs that are meant to be met are not.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
