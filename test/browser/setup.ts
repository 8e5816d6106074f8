import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";

import { chromium } from "playwright-core";
import type { TestProject } from "vitest/node";

import { Server } from "../chaos/server.ts";

/** One server and one browser for all files: each of them takes seconds to start. */
declare module "vitest" {
  interface ProvidedContext {
    /** Where the server answers. */
    url: string;
    /** Its bootstrap key. */
    adminKey: string;
    /** Where the browser can be reached. */
    browser: string;
    /** The folder of screenshots. */
    shots: string;
  }
}

/** Less than a page with room for all of its list would need; the rest of the screen is the page's own. */
const ARGUMENTS = ["--no-sandbox", "--disable-setuid-sandbox", "--hide-scrollbars"];

/** Starts both, and gives back what ends them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shots = path.join(project.config.root, ".artifacts/browser");
  rmSync(shots, { recursive: true, force: true });
  mkdirSync(shots, { recursive: true });
  const server = await Server.create({ BATUTA_SAM: "on" });
  // Its module unpacks nothing before it is asked, and knows nothing of types that a test could use.
  const { default: packed } = await import("@sparticuz/chromium");
  const [executablePath] = await Promise.all([packed.executablePath(), server.start()]);
  const browser = await chromium.launchServer({ executablePath, args: ARGUMENTS, headless: true });
  project.provide("url", server.url);
  project.provide("adminKey", server.adminKey);
  project.provide("browser", browser.wsEndpoint());
  project.provide("shots", shots);
  return async () => {
    await browser.close();
    await server.stop();
  };
}
