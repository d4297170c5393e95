#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("part"), |data: &[u8]| {
    sealbid_fuzz::targets::part::run(data);
});
