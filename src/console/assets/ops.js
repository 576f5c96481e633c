// Live updates, local times, copying, and selection. The pages also work without JavaScript.

const local = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
const { timeZone } = local.resolvedOptions();

/** Makes what the server has sent more useful: called for the page, and for each part of it that was replaced. */
function enhance(root) {
  for (const time of root.querySelectorAll('time')) {
    const text = local.format(new Date(time.dateTime));
    time.title = `${text} ${timeZone} (${time.title})`;
    if ('exact' in time.dataset) time.textContent = text;
  }
  for (const zone of root.querySelectorAll('[data-zone]')) zone.textContent = `Times are local (${timeZone}).`;
  for (const input of root.querySelectorAll('input[type="datetime-local"]')) takeLocalTime(input);
  // Only a page that was fetched safely may write to the clipboard.
  if (navigator.clipboard) for (const button of root.querySelectorAll('[data-copy]')) button.hidden = false;
  for (const form of root.querySelectorAll('form[data-selection]')) countSelection(form);
}

/** The server takes UTC, and this page shows local times: a reader enters what they see. */
function takeLocalTime(input) {
  const [label] = input.labels;
  label.firstChild.textContent = label.firstChild.textContent.replace('(UTC)', '(local time)');
  if (input.defaultValue) input.value = local.format(new Date(`${input.defaultValue}Z`)).slice(0, 16).replace(' ', 'T');
  input.form.addEventListener('formdata', ({ formData }) => {
    if (input.value) formData.set(input.name, new Date(input.value).toISOString().slice(0, 16));
  });
}

document.addEventListener('click', ({ target }) => {
  const button = target instanceof Element ? target.closest('[data-copy]') : null;
  if (button) void copy(button);
});

async function copy(button) {
  const mark = button.innerHTML;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = '✓';
  announce('Copied.');
  setTimeout(() => (button.innerHTML = mark), 1_500);
}

function announce(text) {
  const announcer = document.querySelector('[data-announce]');
  if (announcer.textContent !== text) announcer.textContent = text;
}

/**
 * Replaces parts of the page with what the server streams. A part that is in use stays: what has changed is then offered. Only
 * while the page is seen: browsers open few connections to one server, and hidden pages would use them up.
 */
function followUpdates(main, shown) {
  const offer = main.querySelector('[data-offer]');
  let source;
  let isOver = false;
  const follow = () => {
    source?.close();
    if (isOver || document.hidden) return;
    source = new EventSource(main.dataset.live);
    source.addEventListener('update', (event) => update(JSON.parse(event.data)));
    source.addEventListener('end', () => {
      isOver = true;
      source.close();
    });
    // The browser only asks again after a lost connection, not after a refusal, e.g. while the API restarts behind a proxy.
    const asked = source;
    asked.addEventListener('error', () => {
      if (asked.readyState === EventSource.CLOSED) setTimeout(() => asked === source && follow(), 5_000);
    });
  };
  const update = ({ fragments, announcement }) => {
    // The rows of a list may be the same, and only older.
    let isNews = !offer;
    for (const [id, html] of Object.entries(fragments)) {
      const element = document.getElementById(id);
      if (!element || shown.get(id) === html) continue;
      const version = versionOf(parse(html));
      const differs = version !== versionOf(element);
      isNews ||= differs;
      if (inUse(element)) {
        if (offer && differs) offer.hidden = false;
        continue;
      }
      shown.set(id, html);
      element.innerHTML = html;
      enhance(element);
      if (offer && version) offer.hidden = true;
    }
    if (isNews && announcement) announce(announcement);
  };
  document.addEventListener('visibilitychange', follow);
  window.addEventListener('pageshow', ({ persisted }) => persisted && follow());
  window.addEventListener('pagehide', () => source?.close());
  follow();
}

function parse(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  return template.content;
}

const versionOf = (root) => root.querySelector('[data-version]')?.dataset.version;

const inUse = (element) =>
  element.contains(document.activeElement) ||
  element.querySelector('details[open]') !== null ||
  element.querySelector('input:checked') !== null;

/** A checkbox that selects all rows, and a count of the selected ones. */
function countSelection(form) {
  const boxes = [...form.querySelectorAll('input[name="ids"]')];
  const all = form.querySelector('[data-select-all]');
  const everything = form.querySelector('input[name="scope"]');
  const count = form.querySelector('[data-selected]');
  const buttons = form.querySelectorAll('button[name="action"]');
  all.closest('[hidden]').hidden = false;
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    count.textContent = everything.checked ? `all ${everything.dataset.matching}` : `${ticked} selected`;
    for (const button of buttons) button.disabled = ticked === 0 && !everything.checked;
  };
  all.addEventListener('change', () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  form.addEventListener('change', show);
  show();
}

const main = document.querySelector('main');
// As the server sends them: `enhance` changes them.
const shown = new Map([...main.querySelectorAll('[id]')].map((element) => [element.id, element.innerHTML]));
enhance(main);
if (main.dataset.live) followUpdates(main, shown);
