// Keeps the shop window up to date. It also works without JavaScript.

/** ms between two looks at what has no stream: attempts, mails, faults, signups. */
const PAUSE = 2_000;

/** The page that is shown. After a refused form, the address of the document is that of the form. */
const address = document.querySelector('main').dataset.page;
let asked = 0;
let shown = 0;

/** Shows the live parts of an answer, unless a later one is shown already. A part that is in use stays as it is. */
async function show(asking) {
  const number = (asked += 1);
  const answer = await asking.catch(() => undefined);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (number < shown) return;
  shown = number;
  for (const part of document.querySelectorAll('[data-live]')) {
    const now = fresh.getElementById(part.id);
    if (now && now.innerHTML !== part.innerHTML && !part.contains(document.activeElement)) part.innerHTML = now.innerHTML;
  }
}

const refresh = () => void show(fetch(address));

/** Looks again whenever the order moves. The browser resumes the stream by itself, after the last event that it has seen. */
function follow(path) {
  const events = new EventSource(path);
  for (const type of ['status', 'cancellation']) events.addEventListener(type, refresh);
  window.addEventListener('pagehide', () => events.close());
}

/** Sends a form without leaving the page. Its answer is the page as it is then. */
function sendQuietly(event) {
  const { target: form, submitter } = event;
  if (!form.matches('[data-quiet]')) return;
  event.preventDefault();
  void show(fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form, submitter)) }));
}

const followed = document.querySelector('[data-follow]');
if (followed) follow(followed.dataset.follow);
document.addEventListener('submit', sendQuietly);
// A page that the browser kept for going back has sent its forms already.
window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
setInterval(() => document.hidden || refresh(), PAUSE);
