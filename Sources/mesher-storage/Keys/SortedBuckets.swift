/// What `SortedBuckets` holds: it has a number that no other has.
protocol Numbered {
    associatedtype Number: Comparable

    var number: Number { get }

    /// Bits of which the first ones part all numbers evenly.
    static func spread(_ number: Number) -> UInt64
}

/// Elements that are found by their numbers, in many short sorted arrays: one more element moves a few, and never does all
/// of it have to be arranged anew, which would take the loop's time.
struct SortedBuckets<Element: Numbered> {
    private static var bits: UInt64 { 12 }

    /// How many buckets there are.
    static var bucketCount: Int { 1 << bits }

    private var buckets = [[Element]](repeating: [], count: 1 << Int(bits))

    subscript(number: Element.Number) -> Element? {
        let bucket = Self.bucket(of: number)
        let place = place(of: number, in: bucket)
        return place.isThere ? buckets[bucket][place.position] : nil
    }

    /// The elements of a bucket, by their numbers.
    func elements(inBucket bucket: Int) -> [Element] { buckets[bucket] }

    static func bucket(of number: Element.Number) -> Int {
        Int(Element.spread(number) >> (64 - bits))
    }

    /// Puts an element in the place of the one with its number, or adds it.
    mutating func set(_ element: Element) {
        let bucket = Self.bucket(of: element.number)
        let place = place(of: element.number, in: bucket)
        if place.isThere {
            buckets[bucket][place.position] = element
        } else {
            buckets[bucket].insert(element, at: place.position)
        }
    }

    /// Changes the element of a number, if there is one.
    mutating func change(_ number: Element.Number, _ body: (inout Element) -> Void) {
        let bucket = Self.bucket(of: number)
        let place = place(of: number, in: bucket)
        if place.isThere { body(&buckets[bucket][place.position]) }
    }

    mutating func remove(_ number: Element.Number) {
        let bucket = Self.bucket(of: number)
        let place = place(of: number, in: bucket)
        if place.isThere { buckets[bucket].remove(at: place.position) }
    }

    mutating func removeAll(where isGone: (Element) -> Bool) {
        for bucket in buckets.indices where buckets[bucket].contains(where: isGone) {
            buckets[bucket].removeAll(where: isGone)
        }
    }

    private func place(of number: Element.Number, in bucket: Int) -> (position: Int, isThere: Bool) {
        var (start, end) = (0, buckets[bucket].count)
        while start < end {
            let middle = (start + end) / 2
            let other = buckets[bucket][middle].number
            if other == number { return (middle, true) }
            if other < number { start = middle + 1 } else { end = middle }
        }
        return (start, false)
    }
}
