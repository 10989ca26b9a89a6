import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import type { OwnChannel } from '../wire.ts';
import { deleteChannel, makeChannel, renameChannel } from './channel-list.ts';
import { FormDialog, TextField } from './form-dialog.ts';
import { html } from './html.ts';
import { me } from './session.ts';

export type ChannelTask = { is: 'make' } | { is: 'rename' | 'delete'; channel: OwnChannel };

export function ChannelDialog({ task, onClose }: { task: ChannelTask; onClose(): void }): ComponentChild {
  const [name, setName] = useState(task.is === 'rename' ? task.channel.name : '');
  const field = html`<${TextField} label="Name" value=${name} maxLength=${me.value?.limits.nameChars} onValue=${setName} />`;
  switch (task.is) {
    case 'make':
      return html`<${FormDialog} title="New channel" action="Create channel" onClose=${onClose}
        onSubmit=${() => makeChannel(name.trim())}>${field}<//>`;
    case 'rename':
      return html`<${FormDialog} title=${`Rename ${task.channel.name}`} action="Rename" onClose=${onClose}
        onSubmit=${() => renameChannel(task.channel.id, name.trim())}>${field}<//>`;
    case 'delete':
      return html`<${FormDialog} title=${`Delete ${task.channel.name}?`} action="Delete for good" danger=${true}
        onClose=${onClose} onSubmit=${() => deleteChannel(task.channel.id)}>
        <p>Everything that was said in it and in its threads is erased for everybody, with its summaries. This cannot be undone.</p>
      <//>`;
  }
}
