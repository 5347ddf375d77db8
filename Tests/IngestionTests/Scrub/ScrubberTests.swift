import StorageChannel
import Testing

@testable import Ingestion

@Suite struct ScrubberTests {
    @Test(
        "values under names are removed at any depth, whatever they are",
        arguments: [
            (#"{"password":"hunter2","a":1}"#, #"{"password":"[Filtered]","a":1}"#),
            (#"{ "PassWord" : "x" , "b" : 2 }"#, #"{ "PassWord" : "[Filtered]" , "b" : 2 }"#),
            (#"{"pass\u0077ord":"x"}"#, #"{"pass\u0077ord":"[Filtered]"}"#),
            (#"{"a":{"b":[{"api_key":"x"}]}}"#, #"{"a":{"b":[{"api_key":"[Filtered]"}]}}"#),
            (#"{"a":{"otp":123456}}"#, #"{"a":{"otp":"[Filtered]"}}"#),
            (#"{"a":{"otp":-1.5e3,"b":1}}"#, #"{"a":{"otp":"[Filtered]","b":1}}"#),
            (#"{"a":{"token":null,"secret":true,"auth":""}}"#, #"{"a":{"token":null,"secret":true,"auth":""}}"#),
            (#"{"a":{"auth":{"user":"u","x":["}"]},"b":1}}"#, #"{"a":{"auth":"[Filtered]","b":1}}"#),
            (#"{"a":{"tokens":["x",["y"]],"b":[1]}}"#, #"{"a":{"tokens":"[Filtered]","b":[1]}}"#),
            (#"{"a":{"tokens":[ ],"auth":{}}}"#, #"{"a":{"tokens":[ ],"auth":{}}}"#),
            (
                #"{"auth":{"user":"u","n":[1,"x",null]},"b":"c"}"#,
                #"{"auth":{"user":"[Filtered]","n":["[Filtered]","[Filtered]",null]},"b":"c"}"#
            ),
            (
                #"{"request":{"headers":[["Authorization","Bearer x"],["Host","h"]]}}"#,
                #"{"request":{"headers":[["Authorization","[Filtered]"],["Host","h"]]}}"#
            ),
            (#"{"a":[["x","password"],["token",{"b":1},3]]}"#, #"{"a":[["x","password"],["token","[Filtered]",3]]}"#),
            (#"{"a":["run","--password","x","y"]}"#, #"{"a":["run","--password","[Filtered]","y"]}"#),
            (#"{"a":["run","--password=x"]}"#, #"{"a":["run","--password=[Filtered]"]}"#),
            (#"{"a":["user","password","name"]}"#, #"{"a":["user","password","name"]}"#),
            (#"{"a":["the password","x"]}"#, #"{"a":["the password","x"]}"#),
            (
                #"{"a":[{"name":"Authorization","value":"x"},{"name":"b","value":"y"}]}"#,
                #"{"a":[{"name":"Authorization","value":"[Filtered]"},{"name":"b","value":"y"}]}"#
            ),
            (
                #"{"a":{"key":"password","value":{"stringValue":"x"}}}"#,
                #"{"a":{"key":"password","value":"[Filtered]"}}"#
            ),
            (
                #"{"a":4111111111111111,"b":[378282246310005,1732823456789]}"#,
                #"{"a":"[Filtered]","b":["[Filtered]",1732823456789]}"#
            ),
            (#"{"a":"pay 4111 1111 1111 1111"}"#, #"{"a":"pay [Filtered]"}"#),
            (
                #"{"4111111111111111":"a","a?token=x":1.5}"#,
                #"{"[Filtered]":"a","a?token=[Filtered]":"[Filtered]"}"#
            ),
            (
                #"{"query_string":"a=1&token=x","url":"https://u:p@h/?pwd=x"}"#,
                #"{"query_string":"a=1&token=[Filtered]","url":"https://[Filtered]@h/?pwd=[Filtered]"}"#
            ),
            (
                #"{"a":"{\"password\":\"x\\\"y\",\"n\":\"é\u00e9\\\\\"}"}"#,
                #"{"a":"{\"password\":\"[Filtered]\",\"n\":\"éé\\\\\"}"}"#
            ),
            (
                #"{"a":"{\"otp\":1,\"b\":{\"auth\":{}}}"}"#,
                #"{"a":"{\"otp\":\"[Filtered]\",\"b\":{\"auth\":\"[Filtered]\"}}"}"#
            ),
            (#"{"a":"p\u0061ssword=x\u000ay\b\t\u0001"}"#, #"{"a":"password=[Filtered]\ny\b\t\u0001"}"#),
            (#"{"a":"Cookie: a=1\nb"}"#, #"{"a":"Cookie: [Filtered]\nb"}"#),
            (
                #"{"request":{"cookies":{"a":"b"},"data":"pwd=x","env":{"HTTP_COOKIE":"x"}}}"#,
                #"{"request":{"cookies":"[Filtered]","data":"pwd=[Filtered]","env":{"HTTP_COOKIE":"[Filtered]"}}}"#
            ),
            (
                #"{"breadcrumbs":{"values":[{"data":{"url":"/?token=x"},"message":"auth=y"}]}}"#,
                #"{"breadcrumbs":{"values":[{"data":{"url":"/?token=[Filtered]"},"message":"auth=[Filtered]"}]}}"#
            ),
            (
                #"{"exception":{"values":[{"stacktrace":{"frames":[{"vars":{"pwd":"'x'","n":"1"},"context_line":"password = 'x'"}]}}]}}"#,
                #"{"exception":{"values":[{"stacktrace":{"frames":[{"vars":{"pwd":"[Filtered]","n":"1"},"context_line":"password = '[Filtered]'"}]}}]}}"#
            ),
        ])
    func removed(json: String, left: String) {
        #expect(scrubbed(json) == left)
        #expect(scrubbed(left) == left)
    }

    @Test(
        "what identifies an event stays, and its own fields stay what they must be",
        arguments: [
            (
                #"{"event_id":"4111111111111111","timestamp":4111111111111111,"level":"token=x","type":"a=b"}"#,
                "default level timestamp",
                #"{"event_id":"4111111111111111","timestamp":4111111111111111,"level":"token=x","type":"a=b"}"#
            ),
            (#"{"a":{"level":"token=x"}}"#, "default", #"{"a":{"level":"token=[Filtered]"}}"#),
            (
                #"{"user":{"id":7,"email":"b"},"tags":[["a","b"]]}"#, "user tags",
                #"{"user":{"id":"[Filtered]","email":"[Filtered]"},"tags":[["[Filtered]","[Filtered]"]]}"#
            ),
            (
                #"{"server_name":"web","b":{"server_name":"x"}}"#, "server_name",
                #"{"server_name":"[Filtered]","b":{"server_name":"[Filtered]"}}"#
            ),
            (
                #"{"a":{"version":"1.2.3.4","x":"1.2.3.4","e":"a@b.de"}}"#, "ip",
                #"{"a":{"version":"1.2.3.4","x":"[Filtered]","e":"a@b.de"}}"#
            ),
            (#"{"password":"x","iban_no":"y"}"#, "iban_no", #"{"password":"x","iban_no":"[Filtered]"}"#),
        ])
    func kept(json: String, rules: String, left: String) {
        #expect(scrubbed(json, rules) == left)
    }

    @Test("an event without anything to remove is not copied, one that has nothing but that is")
    func nothing() {
        var scrubber = Scrubber()
        let plan = ScrubPlan(ScrubRules("default".utf8))
        let isCopied = [#"{"message":"m"}"#, #"{"token":"x"}"#].map { json in
            Array(json.utf8).withUnsafeBytes { scrubber.scrub($0, plan) != nil }
        }
        #expect(isCopied == [false, true])
    }

    @Test("an event grows by no more than its room, and everything is removed from it nevertheless")
    func growth() {
        let members = (0..<60_000).map { #""token\#($0)":"\#($0 % 10)""# }.joined(separator: ",")
        let json = #"{"a":{\#(members)},"b":{"otp":1,"auth":[1],"c":"otp=1"}}"#
        let left = scrubbed(json)
        #expect(left.utf8.count <= json.utf8.count + (64 << 10))
        #expect(left.hasSuffix(#""token59999":"*"},"b":{"otp":0,"auth":"*","c":"otp=*"}}"#))
        #expect(left.hasPrefix(#"{"a":{"token0":"[Filtered]","token1":"[Filtered]""#))
    }

    @Test("levels as deep as the parser takes are walked, deeper ones are removed")
    func deep() {
        func nested(_ levels: Int) -> String {
            String(repeating: #"{"a":"#, count: levels) + #"{"pwd":"x"}"# + String(repeating: "}", count: levels)
        }
        #expect(scrubbed(nested(600)).contains(#"{"pwd":"[Filtered]"}"#))
        #expect(scrubbed(nested(2_000)).contains(#"{"a":"[Filtered]"}"#))
    }
}
