import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** The documents, and what they may load. */
export interface Documents {
  console(): Promise<Response>;
  login(message: string | undefined, status: 200 | 401 | 429, headers?: Record<string, string>): Promise<Response>;
  /** One sentence, and the way to the console. */
  notice(message: string, status: number): Promise<Response>;
}

const folder = new URL('page/', import.meta.url);

export function createDocuments(importMap: string): Documents {
  const mapHash = createHash('sha256').update(importMap).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'sha256-${mapHash}'`,
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');

  async function toResponse(name: string, holes: Record<string, string>, status = 200, more = {}): Promise<Response> {
    const source = await readFile(new URL(name, folder), 'utf8');
    const text = source.replace(/\{\{(\w+)\}\}/g, (_, hole: string) => holes[hole] ?? '');
    const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy, ...more };
    return new Response(text, { status, headers });
  }

  return {
    console: async () => await toResponse('page.html', { importmap: importMap }),
    async login(message, status, headers) {
      const shown = message === undefined ? '' : `<p class="warning" role="alert">${escapeHtml(message)}</p>`;
      return await toResponse('login.html', { message: shown }, status, headers);
    },
    notice: async (message, status) => await toResponse('notice.html', { message: escapeHtml(message) }, status),
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
