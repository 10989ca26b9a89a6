import { signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import type { OwnChannel } from '../wire.ts';
import { ChannelDialog, type ChannelTask } from './channel-dialog.ts';
import { channels, otherPlaces, threadLabel } from './channel-list.ts';
import { useDrawerFocus } from './drawer.ts';
import { html } from './html.ts';
import { icon, mark } from './icons.ts';
import { NameDialog } from './name-dialog.ts';
import { Avatar } from './people.ts';
import { addressOf, place } from './place.ts';
import { leave, me } from './session.ts';
import { darkNow, toggleTheme } from './theme-choice.ts';

/** Only where it does not stand beside the conversation. */
export const sidebarOpen = signal(false);

// Whoever goes somewhere wants to see it.
place.subscribe(() => {
  sidebarOpen.value = false;
});

const task = signal<ChannelTask | undefined>(undefined);
export const naming = signal(false);

export function Sidebar(): ComponentChild {
  const own = channels.value.own.filter((channel) => !channel.private);
  const alone = channels.value.own.filter((channel) => channel.private);
  const closing = useDrawerFocus<HTMLButtonElement>('(max-width: 760px)', sidebarOpen.value);
  return html`<nav class=${sidebarOpen.value ? 'sidebar open' : 'sidebar'} aria-label="Channels">
    <div class="brand">${mark(24)} Channelore
      <button type="button" class="icon-button close-drawer" ref=${closing} aria-label="Close the list of channels"
        onClick=${() => {
          sidebarOpen.value = false;
        }}>${icon('close')}</button>
    </div>
    <div class="sidebar-scroll">
      <ul aria-label="Only you">${alone.map((channel) => html`<${OwnRow} key=${channel.id} channel=${channel} />`)}</ul>
      <div class="sidebar-title"><span id="own-channels">Channels</span>
        <button type="button" class="icon-button small" aria-label="New channel" title="New channel"
          onClick=${() => {
            task.value = { is: 'make' };
          }}>${icon('plus', 16)}</button>
      </div>
      <ul aria-labelledby="own-channels">${own.map((channel) => html`<${OwnRow} key=${channel.id} channel=${channel} />`)}</ul>
      ${otherPlaces.value.map(
        ({ title, channels: others }) => html`<div class="sidebar-title"><span>${title}</span></div>
          <ul aria-label=${title}>${others.map(
            ({ id, name, thread }) => html`<li class="channel-row">
              <${ChannelLink} id=${id} name=${name} thread=${thread} />
            </li>`,
          )}</ul>`,
      )}
    </div>
    <${Foot} />
    ${
      task.value === undefined
        ? ''
        : html`<${ChannelDialog} task=${task.value} onClose=${() => {
            task.value = undefined;
          }} />`
    }
    ${
      naming.value
        ? html`<${NameDialog} onClose=${() => {
            naming.value = false;
          }} />`
        : ''
    }
  </nav>`;
}

function OwnRow({ channel }: { channel: OwnChannel }): ComponentChild {
  const { id, name, threads } = channel;
  const open = place.value.channel === id;
  return html`<li>
    <div class="channel-row">
      <${ChannelLink} id=${id} name=${name} thread=${false} alone=${channel.private} />
      <span class="channel-tools">
        ${
          channel.mayChange
            ? html`<button type="button" class="icon-button small" aria-label=${`Rename ${name}`} title="Rename"
                onClick=${() => {
                  task.value = { is: 'rename', channel };
                }}>${icon('pencil', 15)}</button>
              <button type="button" class="icon-button small" aria-label=${`Delete ${name}`} title="Delete"
                onClick=${() => {
                  task.value = { is: 'delete', channel };
                }}>${icon('trash', 15)}</button>`
            : ''
        }
      </span>
    </div>
    ${
      open && threads.length > 0
        ? html`<ul aria-label=${`Threads of ${name}`}>${threads.map(
            (thread) =>
              html`<li class="channel-row"><${ChannelLink} id=${thread.id} name=${threadLabel(thread)} thread=${true} /></li>`,
          )}</ul>`
        : ''
    }
  </li>`;
}

interface ChannelLinkProps {
  id: string;
  name: string;
  thread: boolean;
  /** Nobody else sees it. */
  alone?: boolean;
}

function ChannelLink({ id, name, thread, alone = false }: ChannelLinkProps): ComponentChild {
  const current = (place.value.thread ?? place.value.channel) === id;
  return html`<a class=${thread ? 'channel-link thread' : 'channel-link'} href=${addressOf(id)} title=${name}
    aria-current=${current ? 'page' : undefined} onClick=${() => {
      if (current) sidebarOpen.value = false;
    }}>
    ${icon(alone ? 'lock' : thread ? 'thread' : 'channel', thread ? 14 : 16)} <span class="name">${name}</span>
  </a>`;
}

function Foot(): ComponentChild {
  const now = me.value;
  if (now === undefined) return null;
  return html`<div class="sidebar-foot">
    <button type="button" class="me-button" title="Your name"
      onClick=${() => {
        naming.value = true;
      }}>
      <${Avatar} name=${now.person.name} small=${true} /> <span class="name">${now.person.name}</span>
      <span class="unseen">Change your name</span>
    </button>
    ${now.admin ? html`<a class="icon-button" href="/usage" title="Usage" aria-label="Usage">${icon('chart')}</a>` : ''}
    <${ThemeButton} />
    ${
      now.hasLogin
        ? html`<button type="button" class="icon-button" title="Log out" aria-label="Log out"
            onClick=${() => void leave()}>${icon('leave')}</button>`
        : ''
    }
  </div>`;
}

export function ThemeButton(): ComponentChild {
  const label = darkNow.value ? 'Light colours' : 'Dark colours';
  return html`<button type="button" class="icon-button" title=${label} aria-label=${label} onClick=${toggleTheme}>
    ${icon(darkNow.value ? 'sun' : 'moon')}
  </button>`;
}
