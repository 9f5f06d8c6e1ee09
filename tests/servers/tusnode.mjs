// TUS 1.0 by @tus/server and @tus/file-store on a free port of 127.0.0.1; the port is printed on the first line. With BIND it listens
// there, and with TLS, a folder with the files of ca.sh, by https.
// Arguments: folder with node_modules, folder for the uploads, milliseconds until an unfinished upload expires; `no-locks` lets
// two requests write to one upload at once.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'

const [, , modules, directory, expires, locks] = process.argv
const require = createRequire(modules + '/')
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
const { Server } = await load('@tus/server')
const { FileStore } = await load('@tus/file-store')

const datastore = new FileStore({ directory, expirationPeriodInMilliseconds: Number(expires) })
const none = { newLock: () => ({ lock: async () => {}, unlock: async () => {} }) }
const tus = new Server({ path: '/files', datastore, relativeLocation: Boolean(process.env.TLS), ...(locks === 'no-locks' && { locker: none }) })
const handle = (request, response) => tus.handle(request, response)
const { TLS, BIND = '127.0.0.1' } = process.env
const file = (name) => fs.readFileSync(`${TLS}/server.${name}`)
const server = TLS ? https.createServer({ cert: file('crt'), key: file('key') }, handle) : http.createServer(handle)
server.listen(0, BIND, () => console.log(server.address().port))
