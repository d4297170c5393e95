// What the page says, in two languages: [Chinese, English]. `{x}` is filled in.
const WORDS = {
  brand: ['密封投标', 'Sealed bid'],
  skip: ['跳到投标步骤', 'Skip to the steps'],
  serverTime: ['平台时间', 'Platform time'],
  loading: ['正在读取……', 'Loading…'],
  chooseLot: ['选择标段', 'Choose a lot'],
  noLots: ['目前没有接受投标的标段。', 'No lot is open for bids at the moment.'],
  insecure: ['本页只能经 HTTPS 使用：浏览器仅在安全连接下提供加密功能。', 'This page works over HTTPS only: browsers encrypt on secure connections alone.'],
  deadline: ['投标截止', 'Bids are due before'],
  docRev: ['公告文件版本', 'Documents, revision'],
  left: ['还剩 {x}', '{x} left'],
  over: ['已截止', 'the deadline has passed'],
  state: ['状态', 'State'],
  description: ['内容', 'What it is'],
  opensAt: ['开标时间', 'Opening'],
  biddingOpens: ['开始投标', 'Bids from'],
  ceiling: ['最高限价', 'Ceiling'],
  asking: ['转让底价', 'Asking price'],
  minimumPrice: ['起始价', 'Minimum price'],
  deposit: ['投标保证金', 'Deposit'],
  sealedTo: ['密封对象', 'Sealed to'],
  keySetOf: ['密钥 {kid}', 'key {kid}'],
  keySetBad: ['密钥集不可信，请勿在此投标', 'The key set cannot be trusted: do not bid here'],
  otherLot: ['密钥集属于另一项目、标段或开标时间。', 'The key set is for another project, lot or opening.'],
  ownKey: ['该标段要求投标人自持一次性密钥,本页不支持;请使用 sealbid seal。', 'Bids of this lot need a one-time key of the bidder\u2019s own, which this page does not keep: use `sealbid seal`.'],
  rule: ['规则', 'Rule'],

  person: ['登录', 'Sign in'],
  login: ['用户名', 'User name'],
  password: ['密码', 'Password'],
  signIn: ['登录', 'Sign in'],
  signOut: ['退出', 'Sign out'],
  chooseFiles: ['选择文件', 'Choose files'],
  chooseFile: ['选择密钥文件', 'Choose the key file'],
  notBidder: ['该账户不是投标人。', 'This account is not a bidder\u2019s.'],

  signingKey: ['签名密钥', 'Signing key'],
  keyIntro: ['投标须以贵单位登记的密钥签名。可在本浏览器内生成密钥：私钥留在本机，本页也无法读出。', 'A bid is signed with a key registered for your organisation. A key can be made in this browser: its private half stays on this machine, and not even this page can read it.'],
  useKey: ['使用本浏览器中已登记的密钥 {kid}', 'Use the registered key of this browser, {kid}'],
  makeKey: ['在本浏览器生成并登记密钥', 'Make a key in this browser and register it'],
  keyFile: ['或使用密钥文件（PEM，PKCS#8）', 'Or use a key file (PEM, PKCS#8)'],
  keyFileNote: ['文件只在本机读取，不会上传。未登记的密钥将被登记。', 'The file is read on this machine only and is not sent. A key that is not registered yet will be.'],
  keyReady: ['{alg} 密钥 {kid}', '{alg} key {kid}'],

  bid: ['报价与文件', 'Price and files'],
  standing: ['箱中已有贵单位第 {rev} 版投标（{at}），新的投标将替换它。未再次选择的文件将不在其中；相同的报价和文件不会从本浏览器重新上传。', 'Your bid, revision {rev} ({at}), is in the box; a new one replaces it. It has only the files that you pick again; what is the same is not uploaded again from this browser.'],
  confirmIt: ['公告文件在此之后有变更。投标仍然有效；以相同的报价和文件再次签名即为确认。', 'The documents of the notice have changed since. The bid stays valid; sign it again with the same price and files to confirm it.'],
  restoreIt: ['平台保存的密文有损坏。请以相同的报价和文件再次密封，缺失的部分将重新发送。', 'The platform\u2019s copy of it was damaged. Seal again with the same price and files: what is missing is sent again.'],
  amount: ['投标报价（{currency}）', 'Price ({currency})'],
  amountBad: ['请填写如 1250000.00 的金额', 'An amount such as 1250000.00'],
  files: ['投标文件', 'Documents'],
  filesNote: ['可选，可多选。文件在本机加密后才离开。', 'Optional, several if you like. They leave this machine only encrypted.'],
  remove: ['移除', 'Remove'],
  removeFile: ['移除 {path}', 'Remove {path}'],
  note: ['备注（可选，一并密封）', 'Remark (optional, sealed as well)'],
  sealNow: ['在本机密封', 'Seal on this machine'],
  bidReady: ['{price}；{n} 个文件', '{price}; files: {n}'],

  review: ['核对并签名', 'Check and sign'],
  reviewIntro: ['已在本机密封。以下即为将要签名的内容，逐字不差；报价和文件名不在其中，它们已被加密。', 'It is sealed on this machine. This is exactly what will be signed, to the letter; price and file names are not in it: they are encrypted.'],
  partPrice: ['报价', 'Price'],
  partDocuments: ['投标文件', 'Documents'],
  inside: ['密封在内', 'Sealed inside'],
  fingerprint: ['信封编号（SHA-256）', 'Envelope (SHA-256)'],
  sealedSize: ['密文大小', 'Sealed size'],
  signedWith: ['签名密钥', 'Signed with'],
  exact: ['将要签名的原文', 'The text to be signed'],
  submit: ['签名并投标', 'Sign and submit'],
  change: ['返回修改', 'Change it'],
  signed: ['已签名', 'Signed'],

  sealing: ['正在密封', 'Sealing'],
  uploading: ['正在上传密文', 'Uploading what is sealed'],
  checking: ['正在核验', 'Being checked'],
  submitting: ['正在投标', 'Submitting'],
  line: ['连接中断，正在重试；请勿关闭本页。', 'The line broke; trying again. Keep this page open.'],

  receipt: ['回执', 'Receipt'],
  stamp: ['已收到', 'RECEIVED'],
  bidId: ['投标编号', 'Bid'],
  revision: ['版次', 'Revision'],
  receivedAt: ['收到时间', 'Received at'],
  envelopes: ['信封编号', 'Envelopes'],
  receiptChecked: ['平台签名', 'Platform\u2019s signature'],
  valid: ['有效，且正是这些信封', 'valid, and over exactly these envelopes'],
  receiptIntro: ['请保存回执：它不依赖平台即可证明投标。', 'Keep the receipt: it proves the bid without the platform.'],
  saveReceipt: ['保存回执', 'Save the receipt'],
  saveRefusal: ['保存经签名的拒绝', 'Save the signed refusal'],
  again: ['替换这次投标', 'Replace this bid'],

  trust: ['关于本页', 'About this page'],
  trustText: ['本页的代码由平台运营方提供。报价和文件在您的浏览器内加密；但若有人替换了代码，它可以在加密之前读到一切。因此请核对：', 'The operator of the platform serves the code of this page. Price and files are encrypted in your browser; but whoever replaced that code could read them before. So check it:'],
  trustCheck: ['计算页面与程序的 SHA-256，与源代码中 web/dist/SHA256SUMS 公布的值比较。浏览器只运行与页面所记摘要一致的程序。', 'Compute the SHA-256 of page and program, and compare with web/dist/SHA256SUMS of the source. The browser runs the program only if it has the digest that the page names.'],
  trustTool: ['或完全不依赖本页：命令行工具 sealbid seal 在您自己的机器上密封并投标，格式相同。', 'Or do without this page: on the command line, sealbid seal seals and submits from a program of your own, in the same format.'],
  licences: ['所含程序库的许可', 'Licences of the libraries inside'],

  notShown: ['无法显示标段', 'The lot cannot be shown'],
  unreachable: ['无法连接平台', 'The platform cannot be reached'],
  unreachableDetail: ['请检查网络后重试。', 'Check the connection and try again.'],
  wrongFile: ['密钥文件无法读取', 'The key file cannot be read'],
  not_a_key: ['不是未加密的 PKCS#8 私钥（P-256，或本浏览器支持的 Ed25519）。', 'Not an unencrypted PKCS#8 private key (P-256, or Ed25519 where this browser has it).'],
  cannotSeal: ['无法密封', 'It cannot be sealed'],
  bad_path: ['文件名不可用：{x}', 'A file name that cannot be used: {x}'],
  path_collision: ['两个文件同名：{x}', 'Two files of one name: {x}'],
  wrong_file_count: ['文件太多。', 'Too many files.'],
  files_too_large: ['文件合计过大。', 'The files are too large together.'],
  bad_amount: ['金额须如 1250000.00。', 'An amount such as 1250000.00.'],
  note_too_long: ['备注太长。', 'The remark is too long.'],
  changed: ['文件在密封之后被改动，请重新选择并密封。', 'A file has changed since it was sealed. Pick it again and seal.'],
  failed: ['出错了', 'Something went wrong'],
};

let language = 0;

/** Chooses the language by its tag. */
export function speak(tag) {
  language = tag.startsWith('zh') ? 0 : 1;
}

/** The tag of the language spoken. */
export const spoken = () => ['zh-CN', 'en'][language];

/** A text, with what is filled in. */
export function say(name, filled = {}) {
  return WORDS[name][language].replace(/\{(\w+)\}/g, (_, key) => filled[key] ?? '');
}

/** Whether there is a text of this name. */
export const knows = (name) => Object.hasOwn(WORDS, name);

/** One of two texts that the platform sends together. */
export const either = ({ zh, en }) => [zh, en][language];
