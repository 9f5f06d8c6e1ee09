// TUS 1.0 by @tus/server and @tus/file-store on a free port of 127.0.0.1; the port is printed on the first line.
// Arguments: folder with node_modules, folder for the uploads, milliseconds until an unfinished upload expires; `no-locks` lets
// two requests write to one upload at once.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import http from 'node:http'

const [, , modules, directory, expires, locks] = process.argv
const require = createRequire(modules + '/')
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
const { Server } = await load('@tus/server')
const { FileStore } = await load('@tus/file-store')

const datastore = new FileStore({ directory, expirationPeriodInMilliseconds: Number(expires) })
const none = { newLock: () => ({ lock: async () => {}, unlock: async () => {} }) }
const tus = new Server({ path: '/files', datastore, ...(locks === 'no-locks' && { locker: none }) })
const server = http.createServer((request, response) => tus.handle(request, response))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
