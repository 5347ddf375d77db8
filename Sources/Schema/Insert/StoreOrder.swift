package import StorageChannel

/// The order in which events are stored: by day, project and id. Two hosts that store the same ids then lock them in the same
/// order, and cannot deadlock. Events with the same id stay in the given order, so that the first one wins.
package enum StoreOrder {
    /// The positions of the events in that order. Not generic: for a caller in another module that would cost more than the
    /// sorting.
    package static func positions(of heads: [RecordHead]) -> [Int] {
        heads.indices.sorted { one, other in
            let (first, second) = (heads[one], heads[other])
            return (first.receivedOn, first.project, first.eventID, one)
                < (second.receivedOn, second.project, second.eventID, other)
        }
    }
}
