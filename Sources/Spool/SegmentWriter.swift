internal import Glibc
internal import System

/// The segment that is appended to.
struct SegmentWriter: ~Copyable {
    let file: SegmentFile
    /// Bytes that are known to be on disk.
    private(set) var length = 0
    /// False after a failure that leaves the disk's content unknown: it must not be written to again.
    private(set) var isUsable = true
    private let descriptor: Descriptor
    private let header: [UInt8]

    private init(_ file: SegmentFile, adopting descriptor: consuming Descriptor, header: [UInt8]) {
        self.file = file
        self.descriptor = descriptor
        self.header = header
    }

    /// The file's size; nil when it was deleted, and appended records would be lost. The corresponding C function is
    /// `fstat`.
    var sizeOnDisk: Int? {
        var status = stat()
        return fstat(descriptor.number, &status) == 0 && status.st_nlink > 0 ? Int(status.st_size) : nil
    }

    /// Creates the file, mode 0600; it must not be there. Nothing is written yet. The corresponding C function is `open`.
    static func create(_ file: SegmentFile, marker: UInt64, wall: Int64) throws(SystemError) -> SegmentWriter {
        let number = open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemError("open", file.path) }
        return SegmentWriter(
            file, adopting: Descriptor(adopting: number), header: SegmentFormat.header(marker: marker, wall: wall))
    }

    /// Appends records and returns when they are on disk, and the file's name with them. The corresponding C functions
    /// are `pwrite`, `fdatasync` and, for a new file, `fsync` of the directory.
    ///
    /// - Throws: `SystemError`; then none of the records counts as written.
    mutating func append(_ records: [UInt8], directory: borrowing Descriptor) throws(SystemError) {
        let isNew = length == 0
        let bytes = isNew ? header + records : records
        do throws(SystemError) {
            try write(bytes)
        } catch {
            // Removes what was written of it, or its space could never be used again.
            if isNew || ftruncate(descriptor.number, off_t(length)) != 0 { isUsable = false }
            throw error
        }
        do throws(SystemError) {
            try synchronize(directory: isNew ? directory.number : nil)
        } catch {
            // The kernel may have dropped the pages: a second fsync would falsely succeed.
            isUsable = false
            truncate(file.path, off_t(length))
            throw error
        }
        length += bytes.count
    }

    private func write(_ bytes: [UInt8]) throws(SystemError) {
        FaultPoint.reach(.beforeWrite)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                let rest = UnsafeRawBufferPointer(rebasing: $0[written...])
                return pwrite(descriptor.number, rest.baseAddress, rest.count, off_t(length + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("write", file.path, code: count < 0 ? nil : ENOSPC) }
            written += count
        }
        FaultPoint.reach(.afterWrite)
    }

    private func synchronize(directory: CInt?) throws(SystemError) {
        let injected = FaultPoint.reach(.sync)
        if injected != 0 { throw SystemError("fdatasync", file.path, code: injected) }
        guard fdatasync(descriptor.number) == 0 else { throw SystemError("fdatasync", file.path) }
        if let directory, fsync(directory) != 0 { throw SystemError("fsync", file.path) }
        FaultPoint.reach(.afterSync)
    }
}
