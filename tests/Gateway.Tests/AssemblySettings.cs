// The manual clock advances when nothing is left to run; other tests' work would look like this test's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
