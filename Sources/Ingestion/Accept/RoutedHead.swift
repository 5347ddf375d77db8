/// A request's head with its route, which is looked for once.
package struct RoutedHead {
    package let head: RequestHead
    let target: Result<Target, RouteMiss>

    package init(_ head: RequestHead) {
        self.head = head
        do throws(RouteMiss) {
            target = .success(try Target.find(head))
        } catch {
            target = .failure(error)
        }
    }

    /// The most bytes that a body of this request may have; 0 when there is no such route.
    package var bodyLimit: Int {
        switch target {
        case .success(let target): target.route.bodyLimit
        case .failure: 0
        }
    }
}
