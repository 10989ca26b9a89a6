import { render } from 'preact';
import { announced } from './announcer.ts';
import { loadChannels } from './channel-list.ts';
import { ConsolePage } from './console-page.ts';
import { html } from './html.ts';
import { followMemory } from './inspected.ts';
import { followPlace } from './open-channel.ts';
import { problemOf } from './server.ts';
import { loadMe } from './session.ts';
import { restoreLeftTour } from './tour.ts';

const app = document.getElementById('app');

async function start(place: HTMLElement): Promise<void> {
  await loadMe();
  if (location.pathname === '/usage') {
    const { loadUsage, UsagePage } = await import('./usage-page.ts');
    document.title = 'Usage · Channelore';
    render(html`<${UsagePage} />`, place);
    await loadUsage();
    return;
  }
  await loadChannels();
  followPlace();
  followMemory();
  void restoreLeftTour().catch(() => undefined); // One's own settings say what is so.
  render(
    html`<a class="skip" href="#composer" onClick=${toComposer}>To the message box</a><${ConsolePage} /><${Announcer} />`,
    place,
  );
}

/** The address says which channel is open: the link must not change it. */
function toComposer(event: Event): void {
  event.preventDefault();
  document.getElementById('composer')?.focus();
}

function Announcer() {
  return html`<div class="unseen" role="log" aria-live="polite">${announced.value}</div>`;
}

function showFailure(place: HTMLElement, error: unknown): void {
  const again = () => location.reload();
  render(
    html`<main class="failed-page"><h1>Channelore</h1><p>${problemOf(error)}</p>
      <button type="button" class="button primary" onClick=${again}>Try again</button></main>`,
    place,
  );
}

document.addEventListener('click', (event) => {
  const button = event.target instanceof Element ? event.target.closest('[data-copy]') : null;
  if (button === null) return;
  const text = button.closest('.code')?.querySelector('code')?.textContent ?? '';
  navigator.clipboard.writeText(text).then(
    () => {
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 1500);
    },
    () => {
      button.textContent = 'Not allowed';
    },
  );
});

if (app !== null) start(app).catch((error: unknown) => showFailure(app, error));
