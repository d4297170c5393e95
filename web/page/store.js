// What this browser keeps: signing keys, whose private halves nobody can read out, and the secrets of what was sealed last, so that
// a price can change, or an upload go on after the page was closed, without sending the documents again.

const open = () => new Promise((done, failed) => {
  const request = indexedDB.open('sealbid', 1);
  request.onupgradeneeded = () => ['keys', 'payloads'].forEach((name) => request.result.createObjectStore(name));
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

async function ask(name, mode, what) {
  const database = await open();
  try {
    return await new Promise((done, failed) => {
      const transaction = database.transaction(name, mode);
      const request = what(transaction.objectStore(name));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = () => failed(transaction.error);
    });
  } finally {
    database.close();
  }
}

const table = (name) => ({
  get: (key) => ask(name, 'readonly', (store) => store.get(key)),
  put: (key, value) => ask(name, 'readwrite', (store) => store.put(value, key)),
});

/** By user. */
export const keys = table('keys');
/** By lot, bidder and part. */
export const payloads = table('payloads');
