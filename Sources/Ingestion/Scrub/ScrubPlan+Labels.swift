/// What a request says of a report is removed as if the report said it.
extension ScrubPlan {
    func scrubbed(_ labels: ReportLabels) -> ReportLabels {
        ReportLabels(
            environment: scrubbed(labels.environment, of: "environment"),
            release: scrubbed(labels.release, of: "release"),
            address: removesUserAddress ? nil : labels.address)
    }

    private func scrubbed(_ text: [UInt8]?, of name: StaticString) -> [UInt8]? {
        guard let text, !text.isEmpty else { return text }
        if names.match(name.bytes) { return Array(TextScan.mark.bytes) }
        return text.withUnsafeBytes { bytes in
            var scan = TextScan(bytes, self, isVersion: versions.match(name.bytes))
            var result: [UInt8] = []
            var done = 0
            while let finding = scan.next() {
                result += bytes[done..<finding.range.lowerBound]
                result += TextScan.mark.bytes
                done = finding.range.upperBound
            }
            return result + bytes[done...]
        }
    }
}
