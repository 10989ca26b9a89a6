import type { ComponentChild } from 'preact';
import { useEffect } from 'preact/hooks';
import { channelName, isOwn, ownChannel, platformName, threadName } from './channel-list.ts';
import { Composer } from './composer.ts';
import { ConfirmDialog } from './confirm-dialog.ts';
import { Feed } from './feed.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { inspected, inspectorOpen, toggleInspector } from './inspected.ts';
import { Inspector } from './inspector.ts';
import { channelTalk, link, threadTalk } from './open-channel.ts';
import { go, place } from './place.ts';
import { RoleDialog, settingRole } from './role-dialog.ts';
import { command } from './sending.ts';
import { Sidebar, sidebarOpen } from './sidebar.ts';
import type { Talk } from './talk.ts';
import { ThreadRoot } from './thread-root.ts';
import { NextStep, Welcome } from './welcome.ts';

export function ConsolePage(): ComponentChild {
  const talk = channelTalk.value;
  const thread = threadTalk.value;
  useEffect(() => {
    document.title = channelName.value === '' ? 'Channelore' : `${channelName.value} · Channelore`;
  }, [channelName.value]);
  useEffect(() => {
    addEventListener('keydown', onEscape);
    return () => removeEventListener('keydown', onEscape);
  }, []);
  return html`<div class=${thread === undefined ? 'shell' : 'shell with-thread'}>
    <${Sidebar} />
    ${sidebarOpen.value ? html`<button type="button" class="scrim" tabindex="-1" aria-label="Close the list of channels" onClick=${closeSidebar}></button>` : ''}
    <main class="pane">
      <${Head} talk=${talk} />
      <${LinkBanner} />
      ${talk === undefined ? '' : html`<${Conversation} key=${talk.key} talk=${talk} />`}
    </main>
    ${thread === undefined ? '' : html`<${ThreadPane} key=${thread.key} talk=${thread} />`}
    ${inspectorOpen.value ? html`<${Inspector} />` : ''}
    <${ConfirmDialog} />
  </div>`;
}

function closeSidebar(): void {
  sidebarOpen.value = false;
}

/** The topmost of what lies over the conversation goes first; dialogs close themselves. */
function onEscape(event: KeyboardEvent): void {
  if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]') !== null) return;
  if (sidebarOpen.value) closeSidebar();
  else if (inspectorOpen.value && matchMedia('(max-width: 1080px)').matches) toggleInspector();
  else closeThread();
}

function closeThread(): void {
  const { channel, thread } = place.value;
  if (thread === undefined || channel === undefined) return;
  go(channel);
  document.getElementById('composer')?.focus();
}

function Head({ talk }: { talk: Talk | undefined }): ComponentChild {
  const memory = inspected.value.is === 'ready' ? inspected.value.memory : undefined;
  const here = memory?.channel === talk?.key ? memory : undefined;
  return html`<header class="pane-head">
    <button type="button" class="icon-button menu-button" aria-label="Channels" aria-expanded=${sidebarOpen.value}
      onClick=${() => {
        sidebarOpen.value = true;
      }}>${icon('menu')}</button>
    <div class="pane-title">
      <h1>${headingOf(channelName.value, ownChannel.value?.private === true)}</h1>
      ${
        talk !== undefined && isOwn.value
          ? html`<button type="button" class="role-button" title="The bot’s role here"
              onClick=${() => {
                settingRole.value = true;
              }}>${here === undefined ? 'Role' : here.preset === undefined ? here.role : `Preset ${here.preset}`}</button>`
          : ''
      }
    </div>
    ${
      talk !== undefined && isOwn.value
        ? html`<button type="button" class="button small reset-button" title="Reset the memory: Undo brings it back" aria-label="Reset the memory"
            onClick=${() => void command(talk, 'reset')}>${icon('broom', 15)} Reset</button>`
        : ''
    }
    <button type="button" class="icon-button" title="Memory" aria-label="Memory" aria-pressed=${inspectorOpen.value}
      onClick=${toggleInspector}>${icon('memory')}</button>
    ${
      settingRole.value && talk !== undefined
        ? html`<${RoleDialog} talk=${talk} role=${here?.role ?? ''} preset=${here?.preset} onClose=${() => {
            settingRole.value = false;
          }} />`
        : ''
    }
  </header>`;
}

function headingOf(name: string, isPrivate: boolean): string {
  if (name === '') return 'Channelore';
  return isPrivate ? name : `# ${name}`;
}

function LinkBanner(): ComponentChild {
  if (link.value === 'lost') {
    return html`<div class="banner" role="status">The connection is lost. Trying again; nothing that was sent is lost.</div>`;
  }
  if (link.value === 'refused') {
    return html`<div class="banner" role="status">This channel cannot be followed: it is gone, or not yours to see.</div>`;
  }
  return null;
}

function Conversation({ talk }: { talk: Talk }): ComponentChild {
  if (!isOwn.value) {
    return html`<${Feed} talk=${talk} label="Conversation" empty=${html`<p class="empty">Nothing was said here yet.</p>`} />
      <p class="composer hint">Read-only here. Reply in ${platformName.value} (#${channelName.value}).</p>`;
  }
  const { name = '', private: isPrivate = false } = ownChannel.value ?? {};
  return html`<${Feed} talk=${talk} label="Conversation" empty=${html`<${Welcome} talk=${talk} />`}
      after=${html`<${NextStep} talk=${talk} />`} />
    <${Composer} talk=${talk} main=${true} placeholder=${isPrivate ? 'Message Channelore; nobody else sees it' : `Message #${name}`} />`;
}

function ThreadPane({ talk }: { talk: Talk }): ComponentChild {
  return html`<aside class="pane thread-pane" aria-label="Thread">
    <div class="pane-head">
      <div class="pane-title"><h2>${threadName.value}</h2></div>
      <button type="button" class="icon-button" aria-label="Close the thread" title="Close" onClick=${closeThread}>
        ${icon('close')}
      </button>
    </div>
    <${Feed} talk=${talk} label="Thread" before=${html`<${ThreadRoot} thread=${talk.key} />`} empty=${html`<p class="empty">
      A thread is a conversation of its own. It knows what the channel knew when this message was answered.
    </p>`} />
    ${isOwn.value ? html`<${Composer} talk=${talk} placeholder="Message the thread" />` : ''}
  </aside>`;
}
