import Scoreboard
import Testing

@testable import mesher_watchdog

struct MetricsTextTests {
    @Test("a family is its help, its type and its samples, with what is special in a label escaped")
    func samples() {
        var text = MetricsText()
        text.family("a_total", .counter, "What is counted.")
        text.sample(3, ["x": "one\"\\\ntwo", "y": ""])
        text.sample(0.5)
        #expect(
            text.text == """
                # HELP a_total What is counted.
                # TYPE a_total counter
                a_total{x="one\\"\\\\\\ntwo",y=""} 3
                a_total 0.5

                """)
    }

    @Test("a histogram's buckets hold all values up to their bound, and the last one all there are")
    func histogram() {
        var text = MetricsText()
        let counts: [UInt64] = [1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]
        text.histogram("b", "Sizes.", .batchSize, HistogramReading(counts: counts, sum: 9_000))
        let lines = text.text.split(separator: "\n")
        #expect(lines[2] == #"b_bucket{le="1.0"} 1"# && lines[3] == #"b_bucket{le="2.0"} 3"#)
        #expect(lines.suffix(3) == [#"b_bucket{le="+Inf"} 7"#, "b_sum 9000.0", "b_count 7"])
    }
}
