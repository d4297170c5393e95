// The page in a real browser, against a real server: each scene is played and says what was seen, as one line of JSON.
// `node page.mjs <scene>` with a JSON object of what the scene needs in SEALBID_SCENE; tests/suite/web_page.rs gives both.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { used, withBrowser } from './browser.mjs';

const given = JSON.parse(process.env.SEALBID_SCENE);
const address = (lang, base = given.base) => `${base}/seal?lot=${given.lot}&lang=${lang}`;
const shown = (page, id) => page.locator(`#${id}`).innerText();
const shoot = async (page, name) => {
  if (process.env.SEALBID_SHOTS) await page.screenshot({ path: join(process.env.SEALBID_SHOTS, `${name}.png`), fullPage: true });
};

async function signIn(page, password = given.password) {
  await page.fill('#login', given.login);
  await page.fill('#password', password);
  await page.click('#sign-in button');
}

/** From the price to the text that is to be signed. */
async function seal(page, amount, files = [], note = '') {
  await page.fill('#amount', amount);
  if (files.length > 0) await page.setInputFiles('#files', files);
  if (note) await page.fill('#note', note);
  await page.click('#bid button.main');
  await page.waitForSelector('#step-sign.current', { timeout: 120_000 });
}

async function receiptOf(page) {
  await page.waitForSelector('#step-receipt.current', { timeout: 300_000 });
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  return JSON.parse(readFileSync(await download.path(), 'utf8'));
}

const envelopes = (page) => page.locator('#step-sign pre').allTextContents();

const scenes = {
  /** By mouse and in Chinese, after a wrong password, with a key made in the browser. */
  mouse: () => withBrowser({ locale: 'zh-CN' }, async (page) => {
    await page.goto(address('zh-CN'));
    await page.waitForSelector('#sign-in');
    await shoot(page, 'zh-1-sign-in');
    await signIn(page, 'not the password');
    await page.waitForSelector('#trouble:not([hidden])');
    const wrong = await shown(page, 'trouble');
    await shoot(page, 'zh-2-wrong-password');
    await signIn(page);
    await page.click('#make-key');
    await page.waitForSelector('#step-bid.current');
    await page.fill('#amount', given.amount);
    await page.setInputFiles('#files', given.files);
    await page.fill('#note', given.note);
    const capital = await shown(page, 'amount-said');
    await shoot(page, 'zh-3-bid');
    await page.click('#bid button.main');
    await page.waitForSelector('#step-sign.current');
    const texts = await envelopes(page);
    await page.locator('#step-sign summary').first().click();
    await shoot(page, 'zh-4-review');
    await page.click('#submit');
    const receipt = await receiptOf(page);
    await shoot(page, 'zh-5-receipt');
    await page.setViewportSize({ width: 390, height: 844 });
    await shoot(page, 'zh-6-receipt-narrow');
    const key = await page.evaluate(async () => {
      const database = await new Promise((done) => { indexedDB.open('sealbid').onsuccess = ({ target }) => done(target.result); });
      const all = database.transaction('keys').objectStore('keys').getAll();
      const [{ key: kept }] = await new Promise((done) => { all.onsuccess = () => done(all.result); });
      return { extractable: kept.extractable, shown: await crypto.subtle.exportKey('pkcs8', kept).then(() => true, () => false) };
    });
    // Once more, after the page was opened anew: the key is known, the same files are not sent again, and the bid is replaced.
    const sent = [];
    page.on('request', (request) => { if (request.method() === 'PUT') sent.push(request.url()); });
    await page.reload();
    await signIn(page);
    await page.click('#use-key');
    await page.waitForSelector('#step-bid.current');
    const standing = await shown(page, 'standing');
    await shoot(page, 'zh-7-replace-narrow');
    await seal(page, given.second, given.files);
    await page.click('#submit');
    const again = await receiptOf(page);
    return { wrong, capital, texts, receipt, key, standing, sent, again };
  }),

  /** With the keyboard alone and in English, with a key from a file. */
  keyboard: () => withBrowser({ locale: 'en-GB' }, async (page) => {
    // From now on files are asked for here, and not in a window that nobody sees.
    page.on('filechooser', () => {});
    await page.goto(address('en'));
    await page.waitForSelector('#sign-in');
    await shoot(page, 'en-1-sign-in');
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.dataset.t || document.activeElement.tagName);
    const path = [];
    /** Tabs until the control of this id, or of this text, has the focus. */
    const tabTo = async (wanted) => {
      for (let steps = 0; steps < 30; steps += 1) {
        await page.keyboard.press('Tab');
        const found = await focused();
        path.push(found);
        if (found === wanted) return;
      }
      assert.fail(`the keyboard does not reach ${wanted}: ${path.join(' ')}`);
    };
    const pick = async (id, files) => {
      await tabTo(id);
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
      await chooser.setFiles(files);
    };
    await tabTo('login');
    await page.keyboard.type(given.login);
    await tabTo('password');
    await page.keyboard.type(given.password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#step-key.current');
    const first = await page.evaluate(() => document.activeElement.parentElement.id);
    await shoot(page, 'en-2-key');
    await pick('key-file', given.pem);
    await page.waitForSelector('#step-bid.current');
    await tabTo('amount');
    await page.keyboard.type(given.amount);
    await pick('files', given.files);
    await tabTo('note');
    await tabTo('sealNow');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#step-sign.current');
    await shoot(page, 'en-3-review');
    await page.setViewportSize({ width: 390, height: 844 });
    await shoot(page, 'en-4-review-narrow');
    await tabTo('submit');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#step-receipt.current');
    await tabTo('save');
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    const receipt = JSON.parse(readFileSync(await download.path(), 'utf8'));
    await shoot(page, 'en-5-receipt-narrow');
    return { first, receipt };
  }),

  /** A second bid where the rules allow none: the rule is shown in words, in either language. */
  refused: () => withBrowser({ locale: 'zh-CN' }, async (page) => {
    await page.goto(address('zh-CN'));
    await signIn(page);
    await page.click('#make-key');
    await page.waitForSelector('#step-bid.current');
    await seal(page, given.amount, [], given.note);
    await page.click('#submit');
    await receiptOf(page);
    await page.click('#again');
    await seal(page, given.second);
    await page.click('#submit');
    await page.waitForSelector('#trouble:not([hidden])');
    const zh = await shown(page, 'trouble');
    await shoot(page, 'zh-8-refused');
    await page.click('#en');
    await page.click('#submit');
    await page.waitForFunction((text) => document.getElementById('trouble').innerText !== text, zh);
    await page.waitForSelector('#trouble:not([hidden])');
    const en = await shown(page, 'trouble');
    await shoot(page, 'en-6-refused');
    return { zh, en };
  }),

  /** A lot whose bids the page does not seal. */
  ownKey: () => withBrowser({}, async (page) => {
    const said = {};
    for (const language of ['zh-CN', 'en']) {
      await page.goto(address(language));
      await page.waitForSelector('#trouble:not([hidden])');
      said[language.slice(0, 2)] = await shown(page, 'trouble');
    }
    return said;
  }),

  /** Over a line that breaks in the middle of things. */
  broken: () => withBrowser({}, async (page, { forget }) => {
    // The page itself may be cut off as well; a person would load it again.
    const shown = page.locator('#steps:not([hidden])');
    for (let attempt = 0; await shown.count() === 0; attempt += 1) {
      assert.ok(attempt < 20, 'the page does not load');
      const ofTheScript = (message) => message.type() === 'error' && `${message.location().url} ${message.text()}`.includes('/seal/');
      const cutOff = page.waitForEvent('console', { predicate: ofTheScript, timeout: 30_000 });
      const loaded = page.goto(address('en', given.line)).then(async () => {
        if (await page.locator('#steps').count() > 0) await page.waitForSelector('#steps:not([hidden]), #trouble:not([hidden])');
      });
      await Promise.race([cutOff, loaded]).catch(() => null);
      for (const left of [cutOff, loaded]) left.catch(() => null);
    }
    forget();
    const retried = async (work, until) => {
      for (let attempt = 0; attempt < 20; attempt += 1) {
        await work();
        await page.waitForSelector(`${until}, #trouble:not([hidden])`);
        if (await page.locator(until).count() > 0) return;
      }
      assert.fail(`never ${until}`);
    };
    await retried(() => signIn(page), '#step-key.current');
    await page.setInputFiles('#key-file', given.pem);
    await page.waitForSelector('#step-bid.current');
    await retried(async () => {
      await page.fill('#amount', given.amount);
      await page.setInputFiles('#files', given.files);
      await page.click('#bid button.main');
    }, '#step-sign.current');
    await page.click('#submit');
    // The browser itself hides what it can; a line that is gone altogether is told, and gone on with when it is back.
    await page.waitForSelector('#progress:not([hidden])');
    await page.context().setOffline(true);
    await page.waitForSelector('#line:not([hidden])');
    await shoot(page, 'en-8-line');
    await page.context().setOffline(false);
    const receipt = await receiptOf(page);
    return { receipt, hidden: await page.locator('#line').isHidden() };
  }),

  /** Sealing a big file: how fast, and in how much memory. */
  big: () => withBrowser({}, async (page, { profile }) => {
    await page.goto(address('en'));
    await signIn(page);
    await page.waitForSelector('#step-key.current');
    await page.setInputFiles('#key-file', given.pem);
    await page.waitForSelector('#step-bid.current');
    await page.fill('#amount', given.amount);
    await page.setInputFiles('#files', given.files);
    const before = used(profile);
    const began = Date.now();
    await page.click('#bid button.main');
    await page.waitForSelector('#step-sign.current');
    const sealedMs = Date.now() - began;
    const sealed = used(profile);
    const uploadBegan = Date.now();
    await page.click('#submit');
    await page.waitForSelector('#progress:not([hidden])');
    await shoot(page, 'en-7-uploading');
    const receipt = await receiptOf(page);
    return { sealedMs, uploadedMs: Date.now() - uploadBegan, used: { before, sealed, uploaded: used(profile) }, receipt };
  }),
};

console.log(JSON.stringify(await scenes[process.argv[2]]()));
