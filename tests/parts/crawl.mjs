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
  const { chromium } = await import(join(modules, 'playwright-core/index.mjs'));
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const running = await chromium.launch({ executablePath: browser, args });
  const asked = {};
  const urls = letters.flatMap((one) => one.links);
  // A few tabs, each of which opens one link after the other, as a scanner of a mailbox provider does.
  await Promise.all(Array.from({ length: 6 }, async () => {
    const context = await running.newContext({ javaScriptEnabled: true });
    context.on('request', (request) => {
      asked[request.method()] = (asked[request.method()] ?? 0) + 1;
      if (!['GET', 'HEAD'].includes(request.method())) faults.push(`${request.method()} ${request.url()}`);
    });
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
    for (let url = urls.pop(); url !== undefined; url = urls.pop()) {
      const answer = await page.goto(url, { waitUntil: 'load' });
      // Scripts run here: one of ours says so. Whatever a page had started runs before the next link is opened.
      const ran = await page.evaluate(() => new Promise((done) => requestIdleCallback(() => setTimeout(() => done(document.forms.length), 0))));
      if (answer.status() !== 200 || !Number.isInteger(ran)) faults.push(`${url}: ${answer.status()}`);
      links += 1;
    }
    await page.waitForLoadState('networkidle');
    if ((await context.cookies()).length) faults.push('a cookie');
    await context.close();
  }));
  if (!(asked.GET >= links)) faults.push(`asked ${JSON.stringify(asked)}`);
  await running.close();
}
console.log(JSON.stringify({ letters: letters.length, links, faults: faults.slice(0, 20), faulty: faults.length }));
