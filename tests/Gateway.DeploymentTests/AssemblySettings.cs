// They measure: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
