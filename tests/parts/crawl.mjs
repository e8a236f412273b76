// What scanners and mailbox providers do with the links of letters: `node crawl.mjs look|scripts|leave FOLDER`.
//
//  look     GETs and HEADs every link of every letter
//  scripts  opens every link of every letter in Chromium, scripts on and nothing blocked, and lets what they start run
//  leave    POSTs each List-Unsubscribe address as RFC 8058 says, twice, in both forms
//
// Prints one line of JSON: how many letters, links, and answers that were not as they must be.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [mode, folder, modules, browser] = process.argv.slice(2);
const files = readdirSync(folder).filter((name) => name.endsWith('.eml')).sort();
const faults = [];

// Quoted-printable (RFC 2045, 6.7), as far as links need it.
const decoded = (text) => text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

function letter(name) {
  const text = readFileSync(join(folder, name), 'utf8');
  const [head, ...rest] = text.split(/\r?\n\r?\n/);
  const header = head.replace(/\r?\n[ \t]+/g, ' ');
  const unsubscribe = /^List-Unsubscribe: <([^>]+)>\s*$/im.exec(header)?.[1];
  const oneClick = /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\s*$/im.test(header);
  const links = new Set(decoded(rest.join('\n\n')).match(/https?:\/\/[0-9.:]+\/[upwy]\/[\w-]+/g) ?? []);
  return { name, unsubscribe, oneClick, links: [...links] };
}

async function each(items, most, work) {
  const queue = [...items];
  await Promise.all(Array.from({ length: most }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  }));
}

function check(answer, what) {
  if (answer.status !== 200 || answer.redirected || answer.headers.get('set-cookie')) faults.push(`${what}: ${answer.status}`);
}

// Chromium by its own protocol over a pipe (messages end with a NUL): a page costs a tenth of what it costs by a driver.
async function start(program) {
  const { spawn } = await import('node:child_process');
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const profile = mkdtempSync(join(tmpdir(), 'crawl-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-background-timer-throttling', '--disable-renderer-backgrounding',
    '--disable-backgrounding-occluded-windows', '--disable-dev-shm-usage', '--disable-features=BackForwardCache', '--remote-debugging-pipe', `--user-data-dir=${profile}`];
  const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => child.once('exit', done));
  const [, , , into, from] = child.stdio;
  const answers = new Map();
  const listeners = [];
  let last = 0;
  let rest = Buffer.alloc(0);
  from.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
      const message = JSON.parse(rest.subarray(0, end).toString());
      rest = rest.subarray(end + 1);
      const waiting = answers.get(message.id);
      answers.delete(message.id);
      if (waiting) message.error ? waiting.reject(new Error(message.error.message)) : waiting.resolve(message.result);
      for (const one of listeners) if (one.name === message.method) one.hear(message.params, message.sessionId);
    }
  });
  child.once('exit', () => { for (const waiting of answers.values()) waiting.reject(new Error('Chromium ended')); });
  const send = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    last += 1;
    answers.set(last, { resolve, reject });
    into.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
  });
  const on = (name, hear) => listeners.push({ name, hear });
  const tab = async () => {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    let loaded = () => {};
    on('Page.loadEventFired', (_, of) => { if (of === sessionId) loaded(); });
    await send('Page.enable', {}, sessionId);
    await send('Network.enable', {}, sessionId);
    const open = async (url) => {
      const load = new Promise((done) => { loaded = done; });
      const { errorText } = await send('Page.navigate', { url }, sessionId);
      if (errorText) faults.push(`${url}: ${errorText}`);
      else await load;
    };
    return { open, send: (method, params) => send(method, params, sessionId) };
  };
  const end = async () => {
    await send('Browser.close').catch(() => {});
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { send, on, tab, end };
}

const letters = files.map(letter);
let links = 0;
for (const { name, unsubscribe, oneClick, links } of letters) {
  if (!unsubscribe || !oneClick) faults.push(`${name}: no header`);
  if (!links.includes(unsubscribe)) faults.push(`${name}: no visible link`);
}

if (mode === 'look') {
  await each(letters.flatMap((one) => [one.unsubscribe, ...one.links]).filter(Boolean), 16, async (url) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(url, { method, redirect: 'manual' });
      check(answer, `${method} ${url}`);
      await answer.text();
      links += 1;
    }
  });
} else if (mode === 'leave') {
  await each(letters, 8, async ({ unsubscribe }) => {
    const multipart = new FormData();
    multipart.set('List-Unsubscribe', 'One-Click');
    for (const body of [multipart, new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })]) {
      const answer = await fetch(unsubscribe, { method: 'POST', body, redirect: 'manual' });
      check(answer, `POST ${unsubscribe}`);
      await answer.text();
      links += 1;
    }
  });
} else {
  const running = await start(browser);
  const urls = letters.flatMap((one) => one.links);
  const asked = {};
  running.on('Network.requestWillBeSent', ({ request }) => {
    asked[request.method] = (asked[request.method] ?? 0) + 1;
    if (!['GET', 'HEAD'].includes(request.method)) faults.push(`${request.method} ${request.url}`);
  });
  running.on('Network.responseReceived', ({ type, response }) => {
    if (type === 'Document' && response.status !== 200) faults.push(`${response.url}: ${response.status}`);
  });
  // A few tabs, each of which opens one link after the other, as a scanner of a mailbox provider does.
  await Promise.all(Array.from({ length: 4 }, async () => {
    const tab = await running.tab();
    for (let url = urls.pop(); url !== undefined; url = urls.pop()) {
      await tab.open(url);
      // Scripts run here: one of ours says so, after those that the page may have started.
      const said = await tab.send('Runtime.evaluate', { expression: 'new Promise((done) => setTimeout(() => done(location.href), 0))', awaitPromise: true });
      if (said.result.value !== url) faults.push(`${url}: at ${said.result.value}`);
      links += 1;
    }
  }));
  const { cookies } = await running.send('Storage.getCookies');
  if (cookies.length) faults.push('a cookie');
  if (!(asked.GET >= links)) faults.push(`asked ${JSON.stringify(asked)}`);
  await running.end();
}
console.log(JSON.stringify({ letters: letters.length, links, faults: faults.slice(0, 20), faulty: faults.length }));
