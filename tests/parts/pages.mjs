// Drives the public pages as people do, and looks at those that are files: `node pages.mjs MODULES BROWSER STEPS.json [SCREENSHOTS]`.
//
// Each step of STEPS.json is `{ name, url, method?, body?, headers?, fill?, press?, expect?, never?, status?, again?, whole? }`: a page is
// opened (again until it has that status, by another method and with a body where the step says so), filled, sent, and must then hold the expected words. Every page that is seen, before and after, is looked at by axe on a phone and
// on a desk, in the light and in the dark look; its width may not scroll, nor that of the `whole` parts of it, and it
// may ask no other host for anything. A page that is a file has no status and no headers.
// Prints one line of JSON with what is wrong.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [modules, browser, file, pictures] = process.argv.slice(2);
const { chromium } = await import(join(modules, 'playwright-core/index.mjs'));
const axe = readFileSync(join(modules, 'axe-core/axe.min.js'), 'utf8');
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const steps = JSON.parse(readFileSync(file, 'utf8'));
const faults = [];
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const running = await chromium.launch({ executablePath: browser, args });
const looks = [390, 1280].flatMap((width) => ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));
let looked = 0;

async function look(page, { name, script = true, whole }, when = '') {
  // axe is a script itself: without scripts a page is used and not looked at.
  if (!script) return;
  await page.evaluate(axe);
  for (const { width, colorScheme } of looks) {
    await page.setViewportSize({ width, height: 900 });
    // Without the fading from one look to the other, which axe would see half-way.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Mails stand in frames where nothing runs, axe neither.
    const found = await page.evaluate((values) => window.axe.run({ exclude: [['iframe']] }, { runOnly: { type: 'tag', values } }), tags);
    for (const one of found.violations) faults.push(`${name}${when} ${width} ${colorScheme}: ${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    if (wide) faults.push(`${name}${when} ${width}: scrolls sideways`);
    // A part that is not there is no part that fits.
    const parts = whole ? await page.$$eval(whole, (parts) => parts.map((part) => part.scrollWidth <= part.clientWidth)) : [true];
    if (!parts.length || parts.includes(false)) faults.push(`${name}${when} ${width}: ${whole} is not there, or scrolls sideways`);
    if (pictures) await page.screenshot({ path: join(pictures, `${name}${when}-${width}-${colorScheme}.png`), fullPage: true });
    looked += 1;
  }
}

// Reaches a field or button by the Tab key alone.
async function tabTo(page, selector) {
  const wanted = page.locator(selector).first();
  for (let presses = 0; presses < 120; presses += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selector} is not reached by Tab`);
}

for (const step of steps) {
  const context = await running.newContext({ javaScriptEnabled: step.script ?? true });
  const page = await context.newPage();
  const host = new URL(step.url).host;
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && new URL(request.url()).host !== host) faults.push(`${step.name}: asks ${request.url()}`);
  });
  page.on('console', (message) => {
    const said = message.text();
    if (message.type() === 'error' && !said.includes('Failed to load resource')) faults.push(`${step.name}: ${said}`);
  });
  try {
    if (step.headers) await context.setExtraHTTPHeaders(step.headers);
    if (step.method) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      await page.route(step.url, (route) => route.continue({ method: step.method, postData: step.body ?? '', headers: { ...route.request().headers(), ...headers } }), { times: 1 });
    }
    let answer = await page.goto(step.url);
    for (let tries = 0; step.again && answer.status() !== step.status && tries < 50; tries += 1) answer = await page.reload();
    await look(page, step);
    for (const [field, value] of Object.entries(step.fill ?? {})) {
      await tabTo(page, `[name="${field}"]`);
      const kind = await page.locator(`[name="${field}"]`).evaluate((element) => element.type);
      if (kind === 'checkbox') {
        if ((await page.locator(`[name="${field}"]`).isChecked()) !== value) await page.keyboard.press('Space');
      } else if (kind === 'select-one') {
        await page.locator(`[name="${field}"]`).selectOption(value);
      } else {
        await page.locator(`[name="${field}"]`).fill(value);
      }
    }
    if (step.press) {
      await tabTo(page, `button:has-text("${step.press}")`);
      [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      await look(page, step, '-after');
    }
    const text = await page.locator('body').innerText();
    for (const words of step.expect ?? []) if (!text.includes(words)) faults.push(`${step.name}: no “${words}” in: ${text.slice(0, 700)}`);
    for (const words of step.never ?? []) if ((await page.content()).includes(words)) faults.push(`${step.name}: holds “${words}”`);
    const isFile = step.url.startsWith('file:');
    if (!isFile && answer.status() !== (step.status ?? 200)) faults.push(`${step.name}: status ${answer.status()}`);
    const headers = answer.headers();
    if (!isFile && (headers['cache-control'] !== 'no-store' || headers['referrer-policy'] !== 'no-referrer' || !headers['x-robots-tag']?.includes('noindex')
      || !headers['content-security-policy']?.includes("default-src 'none'") || headers['x-content-type-options'] !== 'nosniff')) {
      faults.push(`${step.name}: headers ${JSON.stringify(headers)}`);
    }
    for (const picture of await page.locator('img').all()) {
      if (!(await picture.evaluate((element) => element.complete && element.naturalWidth > 0))) faults.push(`${step.name}: a picture is missing`);
    }
    if ((await context.cookies()).length) faults.push(`${step.name}: a cookie`);
  } catch (error) {
    faults.push(`${step.name}: ${error.message.slice(0, 300)}`);
  }
  await context.close();
}
await running.close();
console.log(JSON.stringify({ steps: steps.length, looked, faults }));
