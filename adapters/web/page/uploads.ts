import { type Signal, signal } from '@preact/signals';
import type { Upload } from '../wire.ts';
import { toBytes } from './numbers.ts';
import { upload } from './sending.ts';
import { problemOf } from './server.ts';
import { me } from './session.ts';

/** Files on their way to the program, before the message that carries them is sent. */
interface Pending {
  name: string;
  bytes: number;
  done?: Upload;
  problem?: string;
}

export interface Uploads {
  pending: Signal<readonly Pending[]>;
  add(files: Iterable<File>): void;
  remove(pending: Pending): void;
  /** Those that arrived, no longer pending. */
  take(): Upload[];
}

export function createUploads(): Uploads {
  const pending = signal<readonly Pending[]>([]);
  return {
    pending,
    add(files) {
      for (const file of files) void start(file);
    },
    remove(gone) {
      pending.value = pending.value.filter((each) => each !== gone);
    },
    take() {
      const done = pending.value.map((each) => each.done).filter((each) => each !== undefined);
      pending.value = [];
      return done;
    },
  };

  async function start(file: File): Promise<void> {
    const one: Pending = { name: file.name, bytes: file.size };
    const problem = refusal(file);
    pending.value = [...pending.value, problem === undefined ? one : { ...one, problem }];
    if (problem !== undefined) return;
    const outcome = await upload(file).then(
      (done) => ({ done }),
      (error: unknown) => ({ problem: problemOf(error) }),
    );
    pending.value = pending.value.map((each) => (each === one ? { ...one, ...outcome } : each));
  }

  function refusal(file: File): string | undefined {
    const { uploadBytes = 0, files = 0 } = me.value?.limits ?? {};
    if (pending.value.length >= files) return `At most ${files} files at once`;
    return file.size > uploadBytes ? `Larger than ${toBytes(uploadBytes)}` : undefined;
  }
}
