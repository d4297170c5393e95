#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("custodian"), |data: &[u8]| {
    sealbid_fuzz::targets::custodian::run(data);
});
