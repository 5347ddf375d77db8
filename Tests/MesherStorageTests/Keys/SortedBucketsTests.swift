import StorageChannel
import Testing

@testable import mesher_storage

@Suite struct SortedBucketsTests {
    private func key(_ number: UInt128, _ project: Int64?) -> StoredKey { StoredKey(KeyID(number), project: project) }

    @Test(
        "a hundred thousand are found again, in their order, with what they were last set to, and without those removed"
    )
    func agreement() {
        var random = SystemRandomNumberGenerator()
        var buckets = SortedBuckets<StoredKey>()
        var expected: [UInt128: Int64] = [:]
        // Half of them have the same leading bits.
        let numbers = (0..<50_000).map { UInt128.random(in: .min ... .max, using: &random) >> ($0 % 2 == 0 ? 0 : 40) }
        for (position, number) in (numbers + numbers).enumerated() {
            buckets.set(key(number, Int64(position)))
            expected[number] = Int64(position)
        }
        for number in numbers.prefix(1_000) {
            buckets.remove(number)
            expected[number] = nil
        }
        #expect(numbers.allSatisfy { buckets[$0]?.project == expected[$0] })
        let all = (0..<SortedBuckets<StoredKey>.bucketCount).flatMap { buckets.elements(inBucket: $0).map(\.number) }
        #expect(all == expected.keys.sorted())
        #expect(buckets[numbers[0] ^ 1] == nil)
    }

    @Test("a key takes 24 bytes")
    func size() {
        #expect(MemoryLayout<StoredKey>.stride == 24)
    }
}
