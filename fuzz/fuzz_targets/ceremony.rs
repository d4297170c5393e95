#![no_main]

libfuzzer_sys::fuzz_target!(init: sealbid_fuzz::sow("ceremony"), |data: &[u8]| {
    sealbid_fuzz::targets::ceremony::run(data);
});
