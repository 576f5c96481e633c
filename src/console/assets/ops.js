// Live updates and selection. The pages also work without JavaScript.

/** Replaces parts of the page with what the server streams, except parts that are in use. */
function followUpdates(main) {
  const announcer = main.querySelector('[data-announce]');
  const source = new EventSource(main.dataset.live);
  source.addEventListener('update', (event) => {
    const { fragments, announcement } = JSON.parse(event.data);
    for (const [id, html] of Object.entries(fragments)) {
      const element = document.getElementById(id);
      if (element && element.innerHTML !== html && !inUse(element)) {
        element.innerHTML = html;
      }
    }
    if (announcement && announcer.textContent !== announcement) announcer.textContent = announcement;
  });
  source.addEventListener('end', () => source.close());
  window.addEventListener('pagehide', () => source.close());
}

const inUse = (element) =>
  element.contains(document.activeElement) || element.querySelector('details[open]') !== null;

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

const main = document.querySelector('main[data-live]');
if (main) followUpdates(main);
for (const form of document.querySelectorAll('form[data-selection]')) countSelection(form);
