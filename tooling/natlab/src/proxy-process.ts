/** An HTTP proxy as offices have it: CONNECT to port 443 and nothing else. Its argument is ip:port to listen at. */
import { createServer } from 'node:http'
import { connect } from 'node:net'

const [ip, port] = (process.argv[2] ?? '').split(':')
const server = createServer((_request, response) => response.writeHead(405).end())
server.on('connect', ({ url = '' }, socket) => {
  const [host, to] = url.split(':')
  if (to !== '443') return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  const onward = connect(443, host, () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    onward.pipe(socket).pipe(onward)
  })
  for (const each of [onward, socket]) each.on('error', () => each.destroy())
})
server.listen(Number(port), ip, () => console.log('the proxy listens'))
