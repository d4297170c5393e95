// Amounts as people read them.

/** Without grouping signs and blanks, and in plain digits. */
export const plain = (typed) => typed.normalize('NFKC').replace(/[\s,_]/g, '');

/** The number of decimals that a currency has. */
export const decimals = (currency) => new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;

/** With the currency's own number of decimals, where something is missing at the end. */
export function complete(amount, currency) {
  const places = decimals(currency);
  if (!/^(0|[1-9]\d*)(\.\d*)?$/.test(amount)) return null;
  const [whole, fraction = ''] = amount.split('.');
  if (fraction.length > places) return null;
  return places === 0 ? whole : `${whole}.${fraction.padEnd(places, '0')}`;
}

/** Grouped in threes. */
export function grouped({ amount, currency }) {
  const [whole, fraction] = amount.split('.');
  const text = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${currency} ${fraction === undefined ? text : `${text}.${fraction}`}`;
}

const DIGITS = '零壹贰叁肆伍陆柒捌玖';
const PLACES = ['', '拾', '佰', '仟'];
const GROUPS = ['', '万', '亿', '万亿'];

/** Four digits in capital numerals. */
function four(digits) {
  let text = '';
  let zero = false;
  [...digits.padStart(4, '0')].forEach((digit, at) => {
    if (digit === '0') {
      zero = text !== '';
      return;
    }
    text += (zero ? '零' : '') + DIGITS[digit] + PLACES[3 - at];
    zero = false;
  });
  return text;
}

/** An amount of yuan in capital numerals, as tender documents ask for it; null where it is too large. */
export function capital(amount) {
  const [whole, fraction = '00'] = amount.split('.');
  if (whole.length > 16) return null;
  const groups = whole.padStart(Math.ceil(whole.length / 4) * 4, '0').match(/\d{4}/g);
  let text = '';
  let zero = false;
  groups.forEach((group, at) => {
    const words = four(group);
    if (words === '') {
      zero = text !== '';
      return;
    }
    text += (text !== '' && (zero || group.startsWith('0')) ? '零' : '') + words + GROUPS[groups.length - 1 - at];
    zero = false;
  });
  const [jiao, fen] = fraction;
  const parts = (jiao === '0' ? (text && fen !== '0' ? '零' : '') : `${DIGITS[jiao]}角`) + (fen === '0' ? '' : `${DIGITS[fen]}分`);
  if (text === '' && parts === '') return '零元整';
  return `${text ? `${text}元` : ''}${parts || '整'}`;
}
