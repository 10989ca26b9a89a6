import { toBotError } from '../errors.ts';
import type { Job } from '../inbox/inbox.ts';
import type { Log } from '../log.ts';

/** What is told on the way. A platform that only hiccups takes no answer with it; one that is closed for good does. */
export async function tellNote(log: Pick<Log, 'debug'>, job: Job, note: string): Promise<void> {
  try {
    await job.reply.progress(note);
  } catch (error) {
    if (toBotError(error).retryAt === undefined) throw error;
    log.debug({ channel: job.event.channel, error }, 'a note could not be shown');
  }
}
