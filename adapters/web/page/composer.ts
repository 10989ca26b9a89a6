import type { ComponentChild } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { isCommand, type Suggestion } from './completion.ts';
import { CompletionList, useSuggestions } from './completion-list.ts';
import { html } from './html.ts';
import { icon } from './icons.ts';
import { toBytes } from './numbers.ts';
import { command, say } from './sending.ts';
import { me } from './session.ts';
import type { Talk } from './talk.ts';
import { createUploads, type Uploads } from './uploads.ts';

interface ComposerProps {
  talk: Talk;
  placeholder: string;
  /** The first on the page: where a skip link leads. */
  main?: boolean;
}

/** What was typed stays with its conversation while others are open. */
const drafts = new Map<string, string>();

export function Composer({ talk, placeholder, main = false }: ComposerProps): ComponentChild {
  const [text, setText] = useState(drafts.get(talk.key) ?? '');
  const [chosen, setChosen] = useState(0);
  const [moved, setMoved] = useState(false);
  const [closed, setClosed] = useState('');
  const [dropping, setDropping] = useState(false);
  const uploads = useRef<Uploads | undefined>(undefined);
  uploads.current ??= createUploads();
  const area = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const found = useSuggestions(text);
  const suggestions = closed === text ? [] : found;
  const { add, pending, take } = uploads.current;
  const busy = pending.value.some(({ done, problem }) => done === undefined && problem === undefined);
  const tooLong = text.length > (me.value?.limits.textChars ?? Number.POSITIVE_INFINITY);
  const ready = !busy && !tooLong && (text.trim() !== '' || pending.value.some(({ done }) => done !== undefined));
  const open = talk.entries.value.findLast((entry) => entry.kind === 'answer' && !entry.done);

  // On a phone the keyboard would cover what is to be read.
  useEffect(() => {
    if (matchMedia('(hover: hover)').matches) area.current?.focus();
  }, []);

  const write = (value: string) => {
    drafts.set(talk.key, value);
    setText(value);
    setChosen(0);
    setMoved(false);
  };

  const submit = () => {
    if (!ready) return;
    if (isCommand(text)) void command(talk, text.trim());
    else void say(talk, text, take());
    write('');
  };

  const choose = (suggestion: Suggestion) => {
    // It only says how what is typed is meant.
    if (text.startsWith(`${suggestion.line} `)) return setClosed(text);
    write(suggestion.whole ? suggestion.line : `${suggestion.line} `);
    setClosed(suggestion.whole ? suggestion.line : '');
    area.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const suggestion = suggestions[chosen];
    if (suggestion !== undefined && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setChosen((chosen + step + suggestions.length) % suggestions.length);
      setMoved(true);
    } else if (suggestion !== undefined && event.key === 'Escape') setClosed(text);
    else if (suggestion !== undefined && event.key === 'Tab') choose(suggestion);
    else if (event.key === 'Enter' && !event.shiftKey) {
      if (suggestion === undefined || (!moved && isWhole(text, suggestions))) submit();
      else choose(suggestion);
    } else return;
    event.preventDefault();
  };

  const onPaste = (event: ClipboardEvent) => {
    const files = event.clipboardData?.files;
    if (files === undefined || files.length === 0) return;
    event.preventDefault();
    add(files);
  };

  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setDropping(false);
    if (event.dataTransfer !== null) add(event.dataTransfer.files);
  };

  return html`<form class="composer" onSubmit=${(event: Event) => {
    event.preventDefault();
    submit();
  }}>
    ${
      suggestions.length === 0
        ? ''
        : html`<${CompletionList} id=${listId} suggestions=${suggestions} chosen=${chosen} onChoose=${choose} />`
    }
    <div class=${dropping ? 'composer-box dropping' : 'composer-box'} onDrop=${onDrop}
      onDragOver=${(event: DragEvent) => {
        event.preventDefault();
        setDropping(true);
      }} onDragLeave=${() => setDropping(false)}>
      <${PendingFiles} uploads=${uploads.current} />
      <textarea ref=${area} id=${main ? 'composer' : undefined} rows="1" value=${text} placeholder=${placeholder}
        aria-label=${placeholder} aria-autocomplete="list" aria-controls=${suggestions.length > 0 ? listId : undefined}
        aria-activedescendant=${suggestions.length > 0 ? `${listId}-${chosen}` : undefined}
        onInput=${(event: InputEvent) => {
          if (event.target instanceof HTMLTextAreaElement) write(event.target.value);
        }} onKeyDown=${onKeyDown} onPaste=${onPaste}></textarea>
      <div class="composer-row">
        <${AttachButton} onFiles=${add} />
        <button type="button" class="icon-button" title="Commands" aria-label="Commands" onClick=${() => {
          write('/');
          setClosed('');
          area.current?.focus();
        }}>${icon('slash')}</button>
        <span class="hint">${tooLong ? 'This is too long to be sent.' : 'Enter sends, Shift+Enter is a new line'}</span>
        ${
          open?.kind === 'answer'
            ? html`<button type="button" class="button small" onClick=${() =>
                void command(talk, open.actions[0]?.command ?? 'stop', open.target)}>${icon('stop', 14)} Stop</button>`
            : ''
        }
        <button type="submit" class="send" aria-label="Send" title="Send" disabled=${!ready}>${icon('send')}</button>
      </div>
    </div>
  </form>`;
}

/** The line is one of the commands already: Enter sends it. */
function isWhole(text: string, suggestions: readonly Suggestion[]): boolean {
  return suggestions.some(({ line, usage }) =>
    text.trimEnd() === line ? !usage.includes('<') : text.startsWith(`${line} `),
  );
}

function AttachButton({ onFiles }: { onFiles(files: Iterable<File>): void }): ComponentChild {
  const input = useRef<HTMLInputElement>(null);
  return html`<button type="button" class="icon-button" title="Attach files" aria-label="Attach files"
      onClick=${() => input.current?.click()}>${icon('clip')}</button>
    <input ref=${input} type="file" multiple hidden tabindex="-1" aria-label="Files to attach" onChange=${() => {
      if (input.current === null) return;
      onFiles([...(input.current.files ?? [])]);
      input.current.value = '';
    }} />`;
}

function PendingFiles({ uploads }: { uploads: Uploads }): ComponentChild {
  const files = uploads.pending.value;
  if (files.length === 0) return null;
  return html`<ul class="attachments" aria-label="Files to be sent">
    ${files.map(
      (file) => html`<li class="attachment">
        ${icon('file', 15)} <span class="name">${file.name}</span>
        <span class="hint">${file.problem ?? (file.done === undefined ? 'Uploading…' : toBytes(file.bytes))}</span>
        <button type="button" class="icon-button small" aria-label=${`Remove ${file.name}`}
          onClick=${() => uploads.remove(file)}>${icon('close', 14)}</button>
      </li>`,
    )}
  </ul>`;
}
