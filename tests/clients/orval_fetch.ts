/** How the client that orval generates sends its requests: where to, and as whom. */

import { origin } from "./check.js";

let token = "";

export function signIn(accessToken: string): void {
  token = accessToken;
}

export async function send<T>(url: string, options: RequestInit): Promise<T> {
  const headers = new Headers(options.headers);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  const response = await fetch(`${origin}/api/v1${url}`, { ...options, headers });
  const text = await response.text();
  const data: unknown = text ? JSON.parse(text) : undefined;
  return { data, status: response.status, headers: response.headers } as T;
}
