/// What `H` stands for: a number from the seed that stays the same for ever and on every machine.
public enum CronSpread {
    /// A number that belongs to a text.
    public static func value(seed: String) -> UInt64 { value(seed: seed, number: 0) }

    static func value(seed: String, field: CronField) -> UInt64 { value(seed: seed, number: UInt64(field.rawValue)) }

    /// FNV-1a over the seed's bytes and the number, mixed so that near seeds lie far apart.
    private static func value(seed: String, number: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in seed.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ number) &* 0x100_0000_01B3
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}
