/** Addresses come with messages and commands; only Slack's own are spoken to, whatever a message says. */

export interface Hosts {
  /** Where files are kept. */
  isFile(url: string): boolean;
  /** Where a command is answered. */
  isResponse(url: string): boolean;
}

const fileHost = /^(files|files-origin)\.slack\.com$/;
const responseHost = /^hooks\.slack(-gov)?\.com$/;

/** `apiUrl`: where another server stands in for Slack, it does so for all. */
export function createHosts(apiUrl: string | undefined): Hosts {
  const standIn = apiUrl === undefined ? undefined : URL.parse(apiUrl)?.origin;

  function isAt(source: string, host: RegExp): boolean {
    const url = URL.parse(source);
    if (url === null || url.username !== '' || url.password !== '') return false;
    if (standIn !== undefined && url.origin === standIn) return true;
    return url.protocol === 'https:' && url.port === '' && host.test(url.hostname);
  }

  return { isFile: (url) => isAt(url, fileHost), isResponse: (url) => isAt(url, responseHost) };
}
