import Testing

@testable import Ingestion

@Suite struct EventIdentifierTests {
    private func parse(_ text: String) -> UInt128? {
        var text = text
        return text.withUTF8 { EventIdentifier.parse(UnsafeRawBufferPointer($0)) }
    }

    @Test(
        "32 hex digits and a UUID are read, in any case",
        arguments: [
            "fc6d8c0c43fc4630ad850ee518f1b9d0", "FC6D8C0C43FC4630AD850EE518F1B9D0",
            "fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0",
            "FC6D8C0C-43fc-4630-AD85-0ee518f1b9d0",
        ])
    func read(text: String) {
        #expect(parse(text) == 0xfc6d_8c0c_43fc_4630_ad85_0ee5_18f1_b9d0)
    }

    @Test("the least and the largest are read")
    func extremes() {
        #expect(parse(String(repeating: "0", count: 32)) == 0)
        #expect(parse(String(repeating: "f", count: 32)) == .max)
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "fc6d8c0c", "fc6d8c0c43fc4630ad850ee518f1b9d", "fc6d8c0c43fc4630ad850ee518f1b9d00",
            "gc6d8c0c43fc4630ad850ee518f1b9d0", "fc6d8c0c43fc-4630-ad85-0ee518f1b9d0",
            "fc6d8c0c-43fc-4630-ad850ee518f1b9d0-",
            "fc6d8c0c-43fc-4630-ad85-0ee518f1b9d", "{fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0}",
            "fc6d8c0c+43fc-4630-ad85-0ee518f1b9d0",
            "fc6d8c0c--3fc-4630-ad85-0ee518f1b9d0", " fc6d8c0c43fc4630ad850ee518f1b9d",
            "ｆc6d8c0c43fc4630ad850ee518f1b9d",
        ])
    func refused(text: String) {
        #expect(parse(text) == nil)
    }
}
