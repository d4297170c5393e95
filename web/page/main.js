// The page: what is known, what is drawn of it, and what happens when somebody does something.
import { text } from '../seal/bytes.js';
import { Changed, FormError, objection } from '../seal/index.js';
import { Api, Problem, Unreachable } from './api.js';
import * as bids from './bid.js';
import { $, download, element, fillTerms, inChina, local, size, span } from './draw.js';
import { capital, complete, grouped, plain } from './money.js';
import { either, knows, say, speak, spoken } from './words.js';

const STEPS = ['person', 'key', 'bid', 'sign', 'receipt'];
const CLOCK_MS = 30_000;
const TOLD_MS = 150;

const api = new Api((broken) => { $('line').hidden = !broken; });
/** What is known. `step` is where we are; each field appears when it is known. */
const known = { step: 'person', files: [], busy: false };

// --- Words ---------------------------------------------------------------------------------------------------------

function chooseLanguage(tag) {
  speak(tag);
  document.documentElement.lang = spoken();
  try {
    localStorage.setItem('language', spoken());
  } catch {
    // A browser that keeps nothing forgets the language.
  }
  for (const id of ['zh', 'en']) $(id).setAttribute('aria-pressed', String(spoken().startsWith(id)));
  document.querySelectorAll('[data-t]').forEach((node) => { node.textContent = say(node.dataset.t); });
  draw();
}

function firstLanguage() {
  const asked = new URLSearchParams(location.search).get('lang');
  try {
    return asked ?? localStorage.getItem('language') ?? navigator.language;
  } catch {
    return asked ?? navigator.language;
  }
}

// --- Drawing: everything follows from what is known -----------------------------------------------------------------

const code = (value) => element('code', {}, value);

/** The ids of the keys that a bid is sealed to; of two envelopes each has its own. */
const kidsOf = (keySets) => [...new Set(Object.values(keySets).flat().map(({ kid }) => kid))];

function drawLot() {
  if (known.lots) {
    $('title').textContent = say(known.lots.length > 0 ? 'chooseLot' : 'noLots');
    const link = ({ id, title, deadline_at_local: at }) => element('li', {}, element('a', { href: `?lot=${id}` }, title), ` ${local(at)}`);
    $('lots').replaceChildren(...known.lots.map(link));
    $('lots').hidden = false;
    return;
  }
  if (!known.lot) return;
  const { lot, keySets, protects } = known;
  const { terms, schedule } = lot;
  $('title').textContent = lot.title;
  document.title = `${lot.title} · Sealbid`;
  $('deadline-at').textContent = local(lot.deadline_at_local);
  $('deadline').hidden = false;
  const money = (value) => value && grouped(value);
  fillTerms($('facts'), [
    [say('state'), either(lot.state_title)],
    [say('description'), terms.description],
    [say('biddingOpens'), schedule.bidding_opens_at && inChina(Date.parse(schedule.bidding_opens_at))],
    [say('opensAt'), local(lot.opens_at_local ?? lot.deadline_at_local)],
    [say('docRev'), lot.document_revision && code(lot.document_revision)],
    [say('ceiling'), money(terms.ceiling)],
    [say('asking'), money(terms.asking)],
    [say('minimumPrice'), money(terms.minimum_price)],
    [say('deposit'), money(terms.deposit)],
    [say('sealedTo'), ...kidsOf(keySets).map((kid) => code(say('keySetOf', { kid }))), element('br'), either(protects)],
  ]);
  $('amount-label').textContent = say('amount', { currency: terms.currency });
}

function drawClock() {
  const now = api.now();
  $('now').textContent = inChina(now);
  if (!known.lot) return;
  const left = Date.parse(known.time.deadline_at) - now;
  $('left').textContent = left > 0 ? say('left', { x: span(left, spoken()) }) : say('over');
}

function drawSteps() {
  $('steps').hidden = !known.lot;
  const at = STEPS.indexOf(known.step);
  STEPS.forEach((name, index) => {
    const step = $(`step-${name}`);
    const over = index < at || (name === 'receipt' && known.answer !== undefined);
    step.classList.toggle('current', index === at);
    step.classList.toggle('over', over);
    if (index === at) step.setAttribute('aria-current', 'step');
    else step.removeAttribute('aria-current');
    step.querySelector('.open').hidden = index !== at;
    const done = step.querySelector('.done');
    if (done) done.hidden = index >= at;
  });
  const { user, signing, price, bid, files } = known;
  if (user) $('person-done').textContent = user.name;
  if (signing) $('key-done').textContent = say('keyReady', signing);
  if (price) $('bid-done').textContent = say('bidReady', { price: grouped(price), n: files.length });
  if (bid?.envelopes) $('sign-done').textContent = say('signed');
  document.querySelectorAll('main button, main input, main textarea').forEach((control) => { control.disabled = known.busy; });
}

function drawKey() {
  const kept = known.keys?.kept;
  $('key-known').hidden = !kept;
  $('make-key').classList.toggle('main', !kept);
  if (kept) $('use-key').textContent = say('useKey', kept);
}

function drawBid() {
  const { mine, files } = known;
  const standing = mine?.state === 'submitted';
  $('standing').hidden = !standing;
  if (standing) {
    const said = [say('standing', { rev: mine.rev, at: inChina(Date.parse(mine.received_at)) })];
    if (mine.needs_confirmation) said.push(say('confirmIt'));
    if (mine.needs_restoration.length > 0) said.push(say('restoreIt'));
    $('standing').textContent = said.join(spoken() === 'en' ? ' ' : '');
  }
  drawAmount();
  const row = ({ path, blob }, at) => {
    const remove = element('button', { type: 'button', ariaLabel: say('removeFile', { path }) }, say('remove'));
    remove.addEventListener('click', () => {
      known.files = files.filter((_, index) => index !== at);
      drawBid();
      $('files').focus();
    });
    return element('li', {}, element('span', {}, `${path} `, element('span', { className: 'quiet' }, size(blob.size))), remove);
  };
  $('file-list').replaceChildren(...files.map(row));
}

function amountTyped() {
  const { currency } = known.lot.terms;
  const amount = complete(plain($('amount').value), currency);
  return amount === null ? null : { amount, currency };
}

function drawAmount() {
  if (!known.lot) return;
  const price = amountTyped();
  const words = price?.currency === 'CNY' && spoken() === 'zh-CN' ? capital(price.amount) : null;
  const good = price && [grouped(price), words].filter(Boolean).join(' · ');
  $('amount-said').textContent = $('amount').value === '' ? '' : good ?? say('amountBad');
}

function drawEnvelopes() {
  const { bid, price } = known;
  if (!bid) return;
  const inside = {
    price: () => [element('span', { className: 'price' }, grouped(price)), ...(price.note ? [element('br'), price.note] : [])],
    documents: (files) => files.flatMap(({ path, len, sha256 }) => [`${path} · ${size(len)}`, element('br'), code(sha256), element('br')]),
  };
  const one = ({ part, inside: content, payload, header }) => {
    const terms = element('dl');
    fillTerms(terms, [
      [say('inside'), ...inside[part](content)],
      [say('sealedSize'), size(payload.size)],
      [say('fingerprint'), code(header.id)],
      [say('signedWith'), code(bid.signing.kid)],
    ]);
    const exact = `${JSON.stringify(JSON.parse(text(header.ctx)), null, 2)}\n\n${text(header.bytes)}`;
    const title = say(part === 'price' ? 'partPrice' : 'partDocuments');
    return element('div', { className: 'envelope' }, element('h3', {}, title), terms,
      element('details', {}, element('summary', {}, say('exact')), element('pre', { tabIndex: 0 }, exact)));
  };
  $('envelopes').replaceChildren(...bid.parts.map(one));
}

function drawReceipt() {
  const { answer } = known;
  if (!answer) return;
  $('stamp').textContent = say('stamp');
  fillTerms($('receipt'), [
    [say('bidId'), code(answer.bid_id)],
    [say('revision'), String(answer.rev)],
    [say('receivedAt'), local(answer.received_at_local)],
    [say('envelopes'), ...answer.envelope_ids.flatMap((id) => [code(id), element('br')])],
    [say('receiptChecked'), say('valid')],
  ]);
}

function drawTrouble() {
  const { trouble } = known;
  $('trouble').hidden = !trouble;
  if (!trouble) return;
  if (!known.lot && !known.lots) $('title').textContent = say('notShown');
  const { title, detail, rule } = wordsOf(trouble);
  $('trouble-title').textContent = title;
  $('trouble-detail').textContent = detail;
  $('trouble-rule').textContent = rule ?? '';
  $('save-refusal').hidden = !trouble.refusal;
}

function draw() {
  [drawLot, drawClock, drawSteps, drawKey, drawBid, drawEnvelopes, drawReceipt, drawTrouble].forEach((part) => part());
}

// --- What went wrong, in words ---------------------------------------------------------------------------------------

function wordsOf(error) {
  if (error instanceof Problem) {
    const rule = error.rule && `${say('rule')} ${error.rule.id}: ${error.rule.source}`;
    return { title: error.title, detail: [error.detail, error.hint].filter(Boolean).join(' '), rule };
  }
  if (error instanceof Unreachable) return { title: say('unreachable'), detail: say('unreachableDetail') };
  if (error instanceof Changed || error?.name === 'NotReadableError') return { title: say('cannotSeal'), detail: say('changed') };
  if (error instanceof FormError && error.reason === 'not_a_key') return { title: say('wrongFile'), detail: say('not_a_key') };
  if (error instanceof FormError && error.reason === 'own_key_needed') return { title: say('cannotSeal'), detail: say('ownKey') };
  if (error instanceof FormError && known.lot === undefined) {
    return { title: say('keySetBad'), detail: error.reason === 'other_lot' ? say('otherLot') : error.message };
  }
  if (error instanceof FormError && knows(error.reason)) {
    return { title: say('cannotSeal'), detail: say(error.reason, { x: error.message.split(': ').slice(1).join(': ') }) };
  }
  return { title: say('failed'), detail: String(error?.message ?? error) };
}

// --- Doing -----------------------------------------------------------------------------------------------------------

/** Does something, with the controls at rest meanwhile; what goes wrong is shown, and focus goes to where one goes on. */
async function act(work) {
  if (known.busy) return;
  Object.assign(known, { busy: true, trouble: undefined });
  const step = known.step;
  draw();
  try {
    await work();
  } catch (error) {
    known.trouble = error;
    // The session is over: what was entered stays.
    if (error.status === 401 && known.user) known.step = 'person';
  }
  known.busy = false;
  $('progress').hidden = true;
  draw();
  if (known.trouble) $('trouble').focus();
  else if (known.step !== step) $(`step-${known.step}`).querySelector('h2').focus();
}

/** Shows how far something is. Drawing costs more than what is drawn, so not every step is. */
function tell(what, share) {
  if (share > 0 && share < 1 && performance.now() - known.told < TOLD_MS) return;
  known.told = performance.now();
  $('progress').hidden = false;
  $('doing').textContent = say(what);
  $('bar').value = share;
}

async function begin() {
  if (!globalThis.isSecureContext) {
    $('title').textContent = say('insecure');
    return;
  }
  const id = new URLSearchParams(location.search).get('lot');
  if (id) Object.assign(known, await bids.readLot(api, id));
  else {
    await api.time();
    known.lots = (await api.get('/v1/lots?state=noticed')).items;
  }
}

async function signIn() {
  const user = await api.signIn($('login').value, $('password').value);
  $('password').value = '';
  if (!user.roles.includes('bidder')) throw new Problem(403, { title: say('notBidder') });
  known.user = user;
  [known.keys, known.mine] = await Promise.all([bids.knownKey(api, user), bids.ownBid(api, known.lot.id)]);
  known.step = 'key';
}

async function useKey(key) {
  known.signing = await key();
  known.step = 'bid';
}

async function sealBid() {
  const price = amountTyped();
  if (!price) throw new FormError('bad_amount');
  const wrong = known.files.length > 0 && objection(known.files);
  if (wrong) throw new FormError(wrong.reason, wrong.path);
  tell('sealing', 0);
  const note = $('note').value.trim();
  // The documents of the notice, or one's own bid, may have changed since the page was opened.
  [known.lot, known.mine] = await Promise.all([api.get(`/v1/lots/${known.lot.id}`), bids.ownBid(api, known.lot.id)]);
  known.price = { ...price, note };
  known.bid = await bids.seal(known, { amount: price.amount, note, files: known.files }, known.signing, (share) => tell('sealing', share));
  known.step = 'sign';
}

async function submit() {
  known.answer = await bids.submit(api, known, known.bid, tell);
  known.step = 'receipt';
}

function goBack() {
  known.trouble = undefined;
  known.step = 'bid';
  draw();
  $('amount').focus();
}

const on = (id, event, work) => $(id).addEventListener(event, (fired) => {
  fired.preventDefault();
  work(fired);
});

on('zh', 'click', () => chooseLanguage('zh-CN'));
on('en', 'click', () => chooseLanguage('en'));
on('sign-in', 'submit', () => act(signIn));
on('sign-out', 'click', () => act(async () => {
  await api.signOut();
  location.reload();
}));
on('use-key', 'click', () => act(() => useKey(() => known.keys.kept)));
on('make-key', 'click', () => act(() => useKey(() => bids.makeKey(api, known.user))));
on('key-file', 'change', ({ target }) => act(() => useKey(() => bids.keyFromFile(api, known.user, target.files[0], known.keys.active))));
on('amount', 'input', drawAmount);
on('files', 'change', ({ target }) => {
  const picked = [...target.files].map((blob) => ({ path: blob.name, blob }));
  known.files = [...known.files.filter(({ path }) => !picked.some((one) => one.path === path)), ...picked];
  target.value = '';
  drawBid();
});
on('bid', 'submit', () => act(sealBid));
on('submit', 'click', () => act(submit));
on('change', 'click', goBack);
on('again', 'click', () => {
  known.answer = undefined;
  goBack();
});
on('save', 'click', () => download(`sealbid-receipt-${known.answer.entry_id}.json`, JSON.stringify(known.answer.receipt, null, 1)));
on('save-refusal', 'click', () => download('sealbid-refusal.json', JSON.stringify(known.trouble.refusal, null, 1)));
addEventListener('beforeunload', (event) => {
  if (known.busy && known.step === 'sign') event.preventDefault();
});

$('check-command').textContent = ['/seal', '/seal/seal.js'].map((path) => `curl -s ${location.origin}${path} | sha256sum`).join('\n');
chooseLanguage(firstLanguage());
act(begin);
setInterval(drawClock, 1000);
setInterval(() => { if (!known.busy && known.lot) api.time(known.lot.id).then((time) => { known.time = time; }, () => {}); }, CLOCK_MS);
