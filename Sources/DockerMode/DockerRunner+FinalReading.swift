public import Runtime

extension DockerRunner {
    /// Has what a run wrote last read before its container is removed or replaced.
    ///
    /// The reader is called for every ended run and waited for, at most 10 s; then it is cancelled, which is logged, and the
    /// container is removed. Containers of version 1.2.0 that were made to remove themselves do so before that.
    public func readFinally(with reader: any FinalOutputReading) {
        finalReading.set(reader)
    }
}
