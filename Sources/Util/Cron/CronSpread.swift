/// What `H` stands for: a number from the seed that stays the same for ever and on every machine.
enum CronSpread {
    /// FNV-1a over the seed's bytes and the field's number, mixed so that near seeds lie far apart.
    static func value(seed: String, field: CronField) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in seed.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ UInt64(field.rawValue)) &* 0x100_0000_01B3
        hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ (hash >> 33)) &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}
