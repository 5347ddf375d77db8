/// What one check found, and what is to be done about it.
struct Finding {
    let subject: String
    let text: String
    /// What to do; nil when all is well.
    let advice: String?

    static func good(_ subject: String, _ text: String) -> Finding {
        Finding(subject: subject, text: text, advice: nil)
    }

    static func fault(_ subject: String, _ text: String, advice: String) -> Finding {
        Finding(subject: subject, text: text, advice: advice)
    }

    var isFault: Bool { advice != nil }

    var json: JSON {
        .object([
            "subject": .string(subject), "ok": .boolean(!isFault), "finding": .string(text),
            "advice": .optional(advice),
        ])
    }

    /// Two lines at most: the finding, and below it the advice.
    func lines(subjectWidth: Int) -> String {
        let padding = String(repeating: " ", count: max(0, subjectWidth - subject.count))
        let line = "\(isFault ? "FAULT" : "ok   ")  \(subject)\(padding)  \(TextTable.printable(text))"
        guard let advice else { return line }
        return line + "\n" + String(repeating: " ", count: subjectWidth + 9) + "-> " + advice
    }
}
