package import StorageChannel

/// A Sentry event as sent, and the columns that are expected of it; nil is NULL.
package struct SentrySample: Sendable, CustomStringConvertible {
    package let name: String
    package let event: String
    package let columns: [EventRecord.Column: String?]

    package init(_ name: String, _ event: String, _ columns: [EventRecord.Column: String?]) {
        self.name = name
        self.event = event
        self.columns = columns
    }

    package var description: String { name }
}

/// Events as SDKs of several languages and ages write them, shortened where nothing is read.
package enum SentrySamples {
    package static let all: [SentrySample] =
        [
            SentrySample(
                "Python: an exception with its cause",
                #"""
                {"event_id": "7c9a8cbb5d3c4a1a9e2f61b0f6f7a0c1", "level": "error", "timestamp": "2023-11-14T22:13:19.480212Z",
                 "platform": "python", "release": "shop@1.4.2", "environment": "production", "server_name": "web-3",
                 "transaction": "shop.views.checkout", "logger": "django.request",
                 "exception": {"values": [
                   {"mechanism": null, "module": null, "type": "KeyError", "value": "'sku'",
                    "stacktrace": {"frames": [{"filename": "shop/cart.py", "lineno": 41, "vars": {"value": "x", "type": "y"}}]}},
                   {"mechanism": {"type": "django", "handled": false}, "module": "shop", "type": "CartError",
                    "value": "cart 17 is broken", "stacktrace": {"frames": []}}]},
                 "tags": {"queue": "default", "attempt": 3, "retried": false, "node": null},
                 "contexts": {"runtime": {"name": "CPython", "version": "3.11.2"}}, "extra": {"sys.argv": ["manage.py"]},
                 "sdk": {"name": "sentry.python.django", "version": "2.14.0", "packages": [{"name": "pypi:sentry-sdk"}],
                         "integrations": ["django"]}, "_meta": {"extra": {"": {"len": 2}}}}
                """#,
                [
                    .level: "error", .message: "CartError: cart 17 is broken", .platform: "python",
                    .release: "shop@1.4.2",
                    .environment: "production", .serverName: "web-3", .transaction: "shop.views.checkout",
                    .logger: "django.request", .sdkName: "sentry.python.django", .sdkVersion: "2.14.0",
                    .tags: #"{"queue":"default","attempt":3,"retried":false,"node":null}"#,
                ]),
            SentrySample(
                "Python: a line of logging",
                #"{"level": "warning", "logentry": {"message": "%s of %d items failed: %r", "params": ["3", 10, null]}, "logger": "jobs"}"#,
                [.level: "warning", .message: "3 of 10 items failed: null", .logger: "jobs"]),
            SentrySample(
                "JavaScript: an error in a browser",
                #"""
                {"exception":{"values":[{"type":"TypeError","value":"Cannot read properties of undefined (reading 'id')","stacktrace":{"frames":[{"filename":"https://shop.example/app.js","function":"?","in_app":true,"lineno":1,"colno":5113}]},"mechanism":{"type":"onerror","handled":false}}]},"level":"error","event_id":"2ac0bdf1ca2b4e12a4e0eae65ea59a3b","platform":"javascript","request":{"url":"https://shop.example/","headers":{"User-Agent":"Mozilla/5.0"}},"timestamp":1699999999.123,"environment":"production","release":"web@3f2a","sdk":{"integrations":["InboundFilters"],"name":"sentry.javascript.browser","version":"8.30.0"},"breadcrumbs":[{"timestamp":1699999998,"category":"console","level":"log","message":"hi"}]}
                """#,
                [
                    .level: "error", .message: "TypeError: Cannot read properties of undefined (reading 'id')",
                    .platform: "javascript", .environment: "production", .release: "web@3f2a",
                    .sdkName: "sentry.javascript.browser", .sdkVersion: "8.30.0", .tags: nil,
                ]),
            SentrySample(
                "JavaScript: feedback",
                #"""
                {"type":"feedback","event_id":"6a5ae2b5c8f04d34a1d6c7f3a5b5d111","timestamp":1699999999.5,"level":"info","contexts":{"feedback":{"contact_email":"a@b.example","name":"Ann","message":"The \"pay\" button\ndoes nothing","url":"https://shop.example/"}},"platform":"javascript"}
                """#,
                [.level: "info", .message: "The \"pay\" button\ndoes nothing", .platform: "javascript"]),
            SentrySample(
                "PHP: captureMessage",
                #"""
                {"timestamp":1699999999.221,"platform":"php","sdk":{"name":"sentry.php.laravel","version":"4.7.1"},"level":"fatal","logger":"monolog.app","server_name":"fpm-1","release":"1.0\/a","environment":"staging","message":{"message":"Disk %s full","params":["\/var"],"formatted":"Disk \/var full"},"tags":{"queue":"mail"}}
                """#,
                [
                    .level: "fatal", .message: "Disk /var full", .platform: "php", .sdkName: "sentry.php.laravel",
                    .release: "1.0/a", .environment: "staging", .logger: "monolog.app", .tags: #"{"queue":"mail"}"#,
                ]),
            SentrySample(
                "Ruby: an exception",
                #"""
                {"event_id":"0f6f2a6f6a1140a48e7e8c7d6a5b4c3d","level":"error","timestamp":"2023-11-14T22:13:19Z","environment":"development","server_name":"ruby","modules":{"rake":"13.0"},"message":"","user":{},"tags":{},"contexts":{"os":{"name":"Linux"}},"extra":{},"fingerprint":[],"platform":"ruby","sdk":{"name":"sentry.ruby","version":"5.17.3"},"exception":{"values":[{"type":"ZeroDivisionError","value":"divided by 0 (ZeroDivisionError)","module":"","thread_id":8}]}}
                """#,
                [
                    .message: "ZeroDivisionError: divided by 0 (ZeroDivisionError)", .platform: "ruby",
                    .sdkName: "sentry.ruby", .tags: nil,
                ]),
            SentrySample(
                "Java: a line of logback",
                #"""
                {"timestamp":"2023-11-14T22:13:19.480Z","message":{"formatted":"order 17 not found","message":"order {} not found","params":["17"]},"logger":"com.example.Orders","level":"error","exception":{"values":[{"type":"IllegalStateException","value":"x","module":"java.lang"}]},"event_id":"1a2b3c4d5e6f40718293a4b5c6d7e8f9","contexts":{},"sdk":{"name":"sentry.java.logback","version":"7.14.0"},"tags":{"thread":"main"},"release":"orders@2","environment":"production","platform":"java","server_name":"host"}
                """#,
                [
                    .message: "order 17 not found", .logger: "com.example.Orders", .sdkName: "sentry.java.logback",
                    .tags: #"{"thread":"main"}"#,
                ]),
            SentrySample(
                ".NET: a template without its parameters put in",
                #"""
                {"event_id":"b1c2d3e4f5a64b7c8d9e0f1a2b3c4d5e","timestamp":"2023-11-14T22:13:19.4802121+00:00","logentry":{"message":"{0} of {1}: {{{0}}}","params":["a","b"]},"platform":"csharp","level":"info","sdk":{"packages":[{"name":"nuget:sentry.dotnet","version":"4.12.0"}],"name":"sentry.dotnet","version":"4.12.0"}}
                """#,
                [.level: "info", .message: "a of b: {a}", .platform: "csharp", .sdkVersion: "4.12.0"]),
            SentrySample(
                "Go: an error chain",
                #"""
                {"contexts":{"device":{"arch":"amd64"}},"event_id":"c0ffee254729296a45a3885639ac7e10","level":"error","platform":"go","server_name":"api","sdk":{"name":"sentry.go","version":"0.29.0"},"user":{},"exception":[{"type":"*errors.errorString","value":"connection refused"},{"type":"*fmt.wrapError","value":"dial: connection refused"}],"timestamp":"2023-11-14T22:13:19.480212123Z"}
                """#,
                [.message: "*fmt.wrapError: dial: connection refused", .platform: "go", .sdkName: "sentry.go"]),
            SentrySample(
                "Cocoa: a crash",
                #"""
                {"platform":"cocoa","level":"fatal","exception":{"values":[{"type":"EXC_BAD_ACCESS","value":"Exception 1, Code 1, Subcode 8","mechanism":{"type":"mach"},"thread_id":0}]},"threads":{"values":[{"id":0,"crashed":true}]},"debug_meta":{"images":[{"type":"macho","image_addr":"0x1000"}]},"dist":"12","release":"app@1.0+12","sdk":{"name":"sentry.cocoa","version":"8.36.0"},"timestamp":1699999999.25}
                """#,
                [.level: "fatal", .message: "EXC_BAD_ACCESS: Exception 1, Code 1, Subcode 8", .platform: "cocoa"]),
            SentrySample(
                "Native: pairs, and a logger's message",
                #"""
                {"event_id":"9f8e7d6c-5b4a-4321-8765-0123456789ab","timestamp":"2023-11-14T22:13:19.000000Z","platform":"native","level":"warning","logger":"core","message":{"formatted":"out of memory"},"tags":[["gpu","none"],["cores",8],["x",null]],"sdk":{"name":"sentry.native","version":"0.7.10"}}
                """#,
                [.level: "warning", .message: "out of memory", .tags: #"{"gpu":"none","cores":8,"x":null}"#]),
            SentrySample(
                "Node: NestJS writes warn",
                #"{"level":"warn","message":"slow","platform":"node","transaction":""}"#,
                [.level: "warning", .message: "slow", .transaction: nil]),
        ] + old

    /// What damaged events are made from.
    package static let seeds: [[UInt8]] = (all.map(\.event) + reports).map { Array($0.utf8) }

    private static let reports = [
        #"{"event_id":"fc6d8c0c43fc4630ad850ee518f1b9d0","name":"Ann","email":"a@b.example","comments":"It \"broke\""}"#,
        #"{"csp-report":{"violated-directive":"img-src 'self'","blocked-uri":"https://evil.example:8443/p.png?q"}}"#,
        #"{"age":1500,"body":{"blockedURL":"inline","effectiveDirective":"script-src-elem"},"type":"csp-violation"}"#,
        #"{"tags":{"a":NaN,"b":-Infinity},"timestamp":Infinity,"logentry":{"message":"{0} %s","params":["\u0000",NaN]}}"#,
        #"{"message":"\ud800","tags":[["\u0000","\udfff"]],"sdk":{"name":"\u0000"},"exception":[{"type":"\n","value":NaN}]}"#,
    ]

    /// Of the SDKs before them, called raven.
    private static let old: [SentrySample] = [
        SentrySample(
            "raven for Python",
            #"""
            {"project": "1", "event_id": "8d7c6b5a493847261504f3e2d1c0b9a8", "level": 40, "timestamp": "2023-11-14T22:13:19Z",
             "message": "ValueError: bad", "sentry.interfaces.Message": {"message": "bad %(what)s", "params": {"what": "x"}},
             "culprit": "app in run", "platform": "python", "server_name": "old", "time_spent": 12, "modules": {},
             "exception": {"values": [{"type": "ValueError", "value": "bad", "module": "exceptions"}]},
             "sdk": {"version": "6.10.0", "name": "raven-python"}, "repos": {}, "tags": {}}
            """#,
            [
                .level: "error", .message: "bad x", .transaction: "app in run", .sdkName: "raven-python",
                .sdkVersion: "6.10.0",
            ]),
        SentrySample(
            "raven for Python, protocol 4",
            #"{"level": 30, "sentry.interfaces.Message": {"message": "bad %(what)s", "params": {"what": "luck"}}, "logger": "root"}"#,
            [.level: "warning", .message: "bad luck", .logger: "root"]),
        SentrySample(
            "raven for JavaScript",
            #"{"project":"2","logger":"javascript","platform":"javascript","culprit":"http://a.example/b.js","exception":{"type":"Error","value":"oops"},"message":"","tags":{}}"#,
            [.message: "Error: oops", .transaction: "http://a.example/b.js", .logger: "javascript"]),
        SentrySample(
            "JavaScript: whose user is where it came from",
            #"{"platform":"javascript","message":"m","user":{"id":1,"ip_address":"{{auto}}"},"sdk":{"settings":{"infer_ip":"auto"}}}"#,
            [.message: "m", .platform: "javascript", .sdkName: nil]),
        SentrySample(
            "raven for PHP",
            #"{"message":"no such table","tags":{"php_version":"5.6"},"level":"error","sentry.interfaces.Exception":{"values":[{"value":"x","type":"PDOException"}]}}"#,
            [.message: "no such table", .tags: #"{"php_version":"5.6"}"#]),
        SentrySample(
            "raven for Java",
            #"{"sentry.interfaces.Exception":[{"type":"Cause","value":"c"},{"type":"Outer","value":null,"module":"m"}],"level":"critical"}"#,
            [.level: "fatal", .message: "Outer"]),
        SentrySample(
            "raven for Perl",
            #"{"level":"log","message":"from perl","timestamp":"2023-11-14T22:13:19","platform":"perl","sdk":"raven"}"#,
            [.level: "info", .message: "from perl", .platform: "perl", .sdkName: nil]),
    ]
}
