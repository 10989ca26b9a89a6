import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { isOwn, openThread, threadOn } from './channel-list.ts';
import { askToDelete } from './deleting.ts';
import type { Message, Said } from './entries.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { Markdown } from './markdown-view.ts';
import { toBytes, toSentence } from './numbers.ts';
import { Avatar } from './people.ts';
import { place } from './place.ts';
import { command, edit, giveUp, sayAgain } from './sending.ts';
import { me } from './session.ts';
import type { Talk } from './talk.ts';
import { toClock, toMoment } from './time.ts';

interface MessageProps {
  talk: Talk;
  message: Message;
  joined: boolean;
  failure: Said | undefined;
}

export function MessageView({ talk, message, joined, failure }: MessageProps): ComponentChild {
  const [editing, setEditing] = useState(false);
  const { person, at, text, state } = message;
  const mine = me.value !== undefined && message.id.startsWith(`${me.value.person.id}.`);
  const thread = place.value.thread === talk.key ? undefined : threadOn(message.id);
  const name = person.name || 'Somebody';
  return html`<li class=${`entry${joined ? ' joined' : ''}`} data-message=${message.id}>
    ${joined ? html`<span></span>` : html`<${Avatar} name=${name} />`}
    <div class="entry-body">
      <div class=${joined ? 'entry-head unseen' : 'entry-head'}>
        <span class="who" dir="auto">${name}</span>
        <time datetime=${new Date(at).toISOString()} title=${toMoment(at)}>${toClock(at)}</time>
        ${message.edited ? html`<span class="note">edited</span>` : ''}
      </div>
      ${
        editing
          ? html`<${EditBox} text=${text} onDone=${(changed: string | undefined) => {
              setEditing(false);
              if (changed !== undefined && changed !== text) void edit(talk, message, changed);
            }} />`
          : html`<div class=${state === 'sending' ? 'pending' : ''}><${Markdown} text=${text} done=${true} /></div>`
      }
      <${Attachments} message=${message} />
      ${state === 'failed' ? html`<${Unsent} talk=${talk} message=${message} />` : ''}
      ${message.unanswered === undefined ? '' : html`<${Unanswered} talk=${talk} message=${message} failure=${failure} mine=${mine} />`}
      ${
        thread === undefined
          ? ''
          : html`<button type="button" class="thread-link" onClick=${() => void openThread(message.id)}>
              ${icon('thread', 14)} Open the thread
            </button>`
      }
    </div>
    ${
      state === 'kept' && isOwn.value && !editing
        ? html`<${Tools} talk=${talk} message=${message} mine=${mine} onEdit=${() => setEditing(true)} />`
        : ''
    }
  </li>`;
}

/** Why there is no answer, and how to get one. */
function Unanswered({
  talk,
  message,
  failure,
  mine,
}: Omit<MessageProps, 'joined'> & { mine: boolean }): ComponentChild {
  const mayRetry = isOwn.value && (mine || (me.value?.admin ?? false));
  return html`<div class="said warning-said unanswered">
    <${Markdown} text=${failure?.text ?? toSentence(message.unanswered ?? '')} done=${true} />
    ${
      mayRetry
        ? html`<div class="entry-actions"><button type="button" class="button small"
            onClick=${() => void command(talk, 'retry', message.id)}>Retry</button></div>`
        : ''
    }
  </div>`;
}

function Attachments({ message }: { message: Message }): ComponentChild {
  if (message.attachments.length === 0) return null;
  return html`<ul class="attachments" aria-label="Attachments">
    ${message.attachments.map(
      ({ name, bytes, problem }) => html`<li class="attachment">
        ${icon('file', 15)} <span class="name" dir="auto">${name}</span>
        ${bytes === undefined ? '' : html`<span class="hint">${toBytes(bytes)}</span>`}
        ${problem === undefined ? '' : html`<span class="hint">${problem}</span>`}
      </li>`,
    )}
  </ul>`;
}

function Unsent({ talk, message }: { talk: Talk; message: Message }): ComponentChild {
  return html`<div class="failed-note" role="alert">
    Not sent. ${message.problem}
    <button type="button" class="button small" onClick=${() => void sayAgain(talk, message)}>Send again</button>
    <button type="button" class="button small" onClick=${() => giveUp(talk, message)}>Discard</button>
  </div>`;
}

function Tools({ talk, message, mine, onEdit }: { talk: Talk; message: Message; mine: boolean; onEdit(): void }) {
  const inThread = place.value.thread === talk.key;
  return html`<div class="entry-tools" role="group" aria-label="What can be done with this message">
    ${
      inThread
        ? ''
        : html`<button type="button" class="icon-button small" title="Open a thread" aria-label="Open a thread"
            onClick=${() => void openThread(message.id)}>${icon('thread', 16)}</button>`
    }
    ${
      mine
        ? html`<button type="button" class="icon-button small" title="Edit" aria-label="Edit" onClick=${onEdit}>
              ${icon('pencil', 16)}
            </button>
            <button type="button" class="icon-button small" title="Delete" aria-label="Delete"
              onClick=${() => askToDelete(talk, 'message', message.id)}>${icon('trash', 16)}</button>`
        : ''
    }
  </div>`;
}

function EditBox({ text, onDone }: { text: string; onDone(changed: string | undefined): void }): ComponentChild {
  const [value, setValue] = useState(text);
  const save = () => onDone(value.trim() === '' ? undefined : value);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === 'Escape') onDone(undefined);
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      save();
    }
  };
  return html`<div class="edit-box">
    <textarea class="input" dir="auto" aria-label="Edit the message" rows="3" value=${value} onKeyDown=${onKeyDown}
      ref=${focusOnce} onInput=${(event: InputEvent) => {
        if (event.target instanceof HTMLTextAreaElement) setValue(event.target.value);
      }}></textarea>
    <div class="row">
      <button type="button" class="button small primary" onClick=${save}>Save</button>
      <button type="button" class="button small" onClick=${() => onDone(undefined)}>Cancel</button>
    </div>
  </div>`;
}

function focusOnce(element: HTMLTextAreaElement | null): void {
  if (element === null || element.dataset.focused !== undefined) return;
  element.dataset.focused = '';
  element.focus();
  element.setSelectionRange(element.value.length, element.value.length);
}
