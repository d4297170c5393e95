// Requests to the platform: each repeated until it is answered, for as long as whoever asks wants to wait.
import { spoken } from './words.js';

const TIMEOUT_MS = 120_000;
const PAUSE_MOST_MS = 15_000;
/** How long a question that changes nothing is repeated before it fails. */
const READING_MS = 10_000;
/** An access token is renewed this long before its end. */
const EARLY_MS = 60_000;

/** The platform said no: RFC 9457, with a stable `code`. */
export class Problem extends Error {
  constructor(status, said) {
    super(said.detail ?? String(status));
    Object.assign(this, { status, code: '', title: '', detail: '', ...said });
  }
}

/** The platform cannot be reached. */
export class Unreachable extends Error {}

const pause = (ms) => new Promise((over) => setTimeout(over, ms));

/** A session with the platform. Its tokens live in this page's memory, and nowhere else. */
export class Api {
  #session = null;
  #renewal = null;
  #offset = 0;

  /** `onLine(broken)` is told when the line breaks and when it is back. */
  constructor(onLine = () => {}) {
    this.onLine = onLine;
  }

  /** The platform's clock. */
  now() {
    return Date.now() + this.#offset;
  }

  /** Asks for the time, and for a lot's deadline. */
  async time(lot) {
    const asked = Date.now();
    const time = await this.get(`/v1/time${lot ? `?lot=${encodeURIComponent(lot)}` : ''}`);
    this.#offset = Date.parse(time.now) - (asked + Date.now()) / 2;
    return time;
  }

  async signIn(login, password) {
    this.#session = null;
    this.#session = await this.#send('POST', '/v1/sessions', { body: { login, password } });
    return this.#session.user;
  }

  async signOut() {
    await this.#send('DELETE', '/v1/sessions/current', {});
    this.#session = null;
  }

  /** The same session, asking for as long as `ms` before it gives up. */
  patient(ms) {
    const patience = { patience: ms };
    return {
      get: (path) => this.#send('GET', path, patience),
      post: (path, body, key) => this.#send('POST', path, { ...patience, body, key }),
      put: (path, bytes, headers) => this.#send('PUT', path, { ...patience, bytes, headers }),
    };
  }

  get(path) {
    return this.#send('GET', path, {});
  }

  post(path, body, key) {
    return this.#send('POST', path, { body, key });
  }

  async #token() {
    if (this.#session === null) return null;
    if (this.now() > Date.parse(this.#session.expires_at) - EARLY_MS) await this.#renew();
    return this.#session.access_token;
  }

  /** Renews the session, once for all who wait for it. */
  #renew() {
    this.#renewal ??= (async () => {
      const body = { refresh_token: this.#session.refresh_token };
      try {
        this.#session = await this.#send('POST', '/v1/sessions/refresh', { body, anonymous: true, patience: TIMEOUT_MS });
      } finally {
        this.#renewal = null;
      }
    })();
    return this.#renewal;
  }

  async #request(method, path, { body, bytes, headers, key, anonymous }) {
    const token = anonymous ? null : await this.#token();
    const type = bytes ? 'application/octet-stream' : 'application/json';
    // Bytes as a Blob: a browser keeps its copy of it outside the page, where it is sent from several times faster.
    return fetch(path, {
      method,
      headers: {
        ...headers,
        'Accept-Language': spoken(),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...(key ? { 'Idempotency-Key': key } : {}),
        ...(body || bytes ? { 'Content-Type': type } : {}),
      },
      body: bytes ? new Blob([bytes]) : body && JSON.stringify(body),
      cache: 'no-store', credentials: 'omit', redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }

  /** Sends a request until it is answered; everything that is sent with patience may be sent twice without harm. */
  async #send(method, path, what) {
    const until = performance.now() + (what.patience ?? (method === 'GET' ? READING_MS : 0));
    let renewed = false;
    for (let wait = 200; ; wait = Math.min(wait * 2, PAUSE_MOST_MS)) {
      let delay = wait * (0.5 + Math.random());
      let problem;
      try {
        const answer = await this.#request(method, path, what);
        const isJson = (answer.headers.get('Content-Type') ?? '').includes('json');
        const said = answer.status === 204 ? null : isJson ? await answer.json() : {};
        if (answer.ok) {
          this.onLine(false);
          return said;
        }
        problem = new Problem(answer.status, said);
        delay = Math.max(delay, 1000 * Number(answer.headers.get('Retry-After') ?? 0));
      } catch (error) {
        if (error instanceof Problem) throw error;
        problem = new Unreachable(error.message);
      }
      if (problem.code === 'token-expired' && !renewed) {
        renewed = true;
        await this.#renew();
        continue;
      }
      const again = problem instanceof Unreachable || problem.status >= 500 || [408, 429].includes(problem.status)
        || (problem.retry === 'same_request' && problem.code !== 'upload-incomplete');
      if (!again || performance.now() + delay > until) throw problem;
      this.onLine(true);
      await pause(delay);
    }
  }
}
