// What the pages do by themselves. Every page works without it.
'use strict';

const root = document.documentElement;
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// The server renders times in the reader's zone, which only the browser knows.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && /^[\w+/-]+$/.test(zone) && !document.cookie.includes(`rollbook-zone=${zone}`)) {
  document.cookie = `rollbook-zone=${zone}; path=/console; max-age=31536000; SameSite=Strict`;
}

// Buttons that only work with a script are hidden without one. What is for selected rows is hidden until one is selected.
function show() {
  all('[data-copy], [data-script]').forEach((element) => { element.hidden = false; });
  all('[data-when-picked]').forEach((part) => { part.hidden = !part.closest('form').querySelector('[data-pick]:checked'); });
}
show();
document.addEventListener('htmx:after:swap', show);

document.addEventListener('click', async (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.copy !== undefined) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const title = button.title;
    button.title = button.dataset.copied || 'Copied';
    button.classList.add('is-good');
    setTimeout(() => { button.title = title; button.classList.remove('is-good'); }, 1500);
  }
  if (button.dataset.close !== undefined) button.closest(button.dataset.close)?.remove();
  if (button.dataset.theme !== undefined) {
    event.preventDefault();
    root.dataset.theme = button.dataset.theme;
    document.cookie = `rollbook-theme=${button.dataset.theme}; path=/console; max-age=31536000; SameSite=Strict`;
    all('button[data-theme]').forEach((other) => other.setAttribute('aria-pressed', String(other.dataset.theme === button.dataset.theme)));
  }
});

// A menu closes when something else is used, and with Escape, which gives the focus back.
document.addEventListener('click', (event) => {
  all('details.drop[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select');
  const menu = event.target.closest('details.drop[open]');
  if (event.key === 'Escape' && menu) {
    menu.open = false;
    menu.querySelector('summary').focus();
  } else if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector('main .find input');
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  } else if (event.key === 'Escape' && typing && typing.type === 'search' && typing.value) {
    typing.value = '';
    typing.dispatchEvent(new Event('input', { bubbles: true }));
  }
});

// A page about a database that is away tries again. A form that was filled in before a sign-in goes on by itself.
const retry = document.querySelector('[data-retry]');
if (retry) setTimeout(() => location.reload(), Number(retry.dataset.retry) * 1000);
document.querySelector('form[data-continue]')?.requestSubmit();

// A choice that needs no button; "all on this page", and the number of what is selected.
document.addEventListener('change', (event) => {
  const box = event.target;
  if (box.dataset.submit !== undefined) box.form.requestSubmit();
  if (box.type !== 'checkbox' || !box.form) return;
  const boxes = all('input[data-pick]', box.form);
  if (box.dataset.pickAll !== undefined) boxes.forEach((other) => { other.checked = box.checked; });
  const picked = boxes.filter((other) => other.checked).length;
  const whole = box.form.querySelector('[data-pick-all]');
  if (whole) { whole.checked = picked > 0 && picked === boxes.length; whole.indeterminate = picked > 0 && picked < boxes.length; }
  all('[data-when-picked]', box.form).forEach((part) => { part.hidden = picked === 0; });
});

// A file fills a field: of each line the first cell.
document.addEventListener('change', async ({ target }) => {
  if (!target.dataset.into || !target.files?.length) return;
  const text = await target.files[0].text();
  const cells = text.split(/\r?\n/).map((line) => line.split(/[,;\t]/)[0].trim().replace(/^"(.*)"$/, '$1'));
  document.getElementById(target.dataset.into).value = cells.filter(Boolean).join('\n');
});

// The palette: any group, user or page by typing. Arrows choose, Enter opens.
const palette = document.querySelector('#palette');
const chosen = () => palette.querySelector('a[aria-current]');
function choose(link) {
  chosen()?.removeAttribute('aria-current');
  link?.setAttribute('aria-current', 'true');
  link?.scrollIntoView({ block: 'nearest' });
}
function openPalette(event) {
  event.preventDefault();
  palette.showModal();
  const field = palette.querySelector('input');
  field.select();
  field.dispatchEvent(new Event('open'));
}
if (palette) {
  all('[data-palette]').forEach((link) => link.addEventListener('click', openPalette));
  document.addEventListener('keydown', (event) => {
    if (event.key === 'k' && (event.ctrlKey || event.metaKey) && !palette.open) openPalette(event);
  });
  palette.addEventListener('keydown', (event) => {
    const links = all('a', palette);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && links.length) {
      event.preventDefault();
      choose(links[(links.indexOf(chosen()) + step + links.length) % links.length]);
    } else if (event.key === 'Enter' && chosen()) {
      event.preventDefault();
      chosen().click();
    }
  });
  palette.addEventListener('input', () => choose());
  palette.addEventListener('htmx:after:swap', () => choose(palette.querySelector('a')));
  palette.addEventListener('click', (event) => { if (event.target === palette) palette.close(); });
}

// Changes appear as they happen, while the page is looked at.
const live = document.querySelector('[data-live]');
if (live) {
  const button = live.querySelector('[data-pause]');
  const url = new URL(live.dataset.live, location);
  let source;
  const follow = (isOn) => {
    source?.close();
    source = isOn ? new EventSource(url) : null;
    if (!source) return;
    source.addEventListener('cursor', ({ lastEventId }) => url.searchParams.set('after', lastEventId));
    source.addEventListener('lines', ({ data, lastEventId }) => {
      url.searchParams.set('after', lastEventId);
      const list = document.querySelector(live.dataset.list);
      if (list.tagName !== 'OL') { location.reload(); return; }
      const lines = document.createElement('template');
      lines.innerHTML = data;
      list.prepend(lines.content);
      all(':scope > li:nth-child(n+200)', list).forEach((line) => line.remove());
    });
    // The server refused: a position that is gone, or a session that has ended.
    source.addEventListener('error', () => { if (source?.readyState === EventSource.CLOSED && !isPaused()) button.click(); });
  };
  const isPaused = () => live.classList.contains('paused');
  button.addEventListener('click', () => {
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
    live.classList.toggle('paused');
    follow(!isPaused());
  });
  document.addEventListener('visibilitychange', () => follow(!document.hidden && !isPaused()));
  follow(!document.hidden);
}
