/// Who says so, in the API's record of who manages which field.
enum PodPlace {
    static let fieldManager = "the0-runtime"
}
